/**
 * The operations on launch templates.
 */
import {
  type CreateLaunchTemplateCommandInput,
  type CreateLaunchTemplateCommandOutput,
  CreateLaunchTemplate$,
  type CreateLaunchTemplateVersionCommandInput,
  type CreateLaunchTemplateVersionCommandOutput,
  CreateLaunchTemplateVersion$,
  type DeleteLaunchTemplateCommandInput,
  type DeleteLaunchTemplateCommandOutput,
  DeleteLaunchTemplate$,
  type DeleteLaunchTemplateVersionsCommandInput,
  type DeleteLaunchTemplateVersionsCommandOutput,
  DeleteLaunchTemplateVersions$,
  type DescribeLaunchTemplatesCommandInput,
  type DescribeLaunchTemplatesCommandOutput,
  DescribeLaunchTemplates$,
  type DescribeLaunchTemplateVersionsCommandInput,
  type DescribeLaunchTemplateVersionsCommandOutput,
  DescribeLaunchTemplateVersions$,
  type ModifyLaunchTemplateCommandInput,
  type ModifyLaunchTemplateCommandOutput,
  ModifyLaunchTemplate$
} from "@aws-sdk/client-ec2"
import { AwsError } from "../wire/AwsError.ts"
import { operation, type Service } from "../wire/Endpoint.ts"
import { pageOf } from "../wire/pages.ts"
import type { LaunchTemplates } from "./LaunchTemplates.ts"

export const templateOperations = (templates: LaunchTemplates, pageSize: number): Service["operations"] => {
  /** What was answered to a token. */
  const tokens = new Map<string, { readonly input: string; readonly output: unknown }>()
  const once = <Output>(
    { ClientToken, ...input }: { readonly ClientToken?: string | undefined },
    make: () => Output
  ) => {
    if (ClientToken === undefined) return make()
    const text = JSON.stringify(input)
    const known = tokens.get(ClientToken)
    if (known === undefined) {
      const output = make()
      tokens.set(ClientToken, { input: text, output })
      return output
    }
    if (known.input === text) return known.output as Output
    throw new AwsError("IdempotentParameterMismatch", "The client token was already used with other parameters.")
  }
  return {
    CreateLaunchTemplate: operation<CreateLaunchTemplateCommandInput, CreateLaunchTemplateCommandOutput>(
      CreateLaunchTemplate$,
      (input) =>
        once(input, () => {
          const tags = (input.TagSpecifications ?? []).flatMap(({ Tags = [] }) => Tags)
          const { LaunchTemplateData = {}, LaunchTemplateName = "", VersionDescription } = input
          const template = templates.create(LaunchTemplateName, LaunchTemplateData, VersionDescription, tags)
          return { LaunchTemplate: templates.json(template) }
        })
    ),
    DescribeLaunchTemplates: operation<DescribeLaunchTemplatesCommandInput, DescribeLaunchTemplatesCommandOutput>(
      DescribeLaunchTemplates$,
      ({ LaunchTemplateIds = [], LaunchTemplateNames = [] }) => {
        const wanted = [
          ...LaunchTemplateIds.map((LaunchTemplateId) => templates.find({ LaunchTemplateId })),
          ...LaunchTemplateNames.map((LaunchTemplateName) => templates.find({ LaunchTemplateName }))
        ]
        return {
          LaunchTemplates: (wanted.length === 0 ? [...templates.all.values()] : wanted).map((one) =>
            templates.json(one)
          )
        }
      }
    ),
    CreateLaunchTemplateVersion: operation<
      CreateLaunchTemplateVersionCommandInput,
      CreateLaunchTemplateVersionCommandOutput
    >(CreateLaunchTemplateVersion$, (input) =>
      once(input, () => {
        const template = templates.find(input)
        const { LaunchTemplateData, SourceVersion, VersionDescription } = input
        const source = SourceVersion === undefined ? {} : templates.version(template, SourceVersion).data
        const version = templates.addVersion(template, { ...source, ...LaunchTemplateData }, VersionDescription)
        return { LaunchTemplateVersion: templates.versionJson(template, version) }
      })
    ),
    DescribeLaunchTemplateVersions: operation<
      DescribeLaunchTemplateVersionsCommandInput,
      DescribeLaunchTemplateVersionsCommandOutput
    >(DescribeLaunchTemplateVersions$, ({ Versions = [], ...input }) => {
      const all =
        input.LaunchTemplateId === undefined && input.LaunchTemplateName === undefined
          ? [...templates.all.values()]
          : [templates.find(input)]
      const [least, most] = [Number(input.MinVersion ?? 0), Number(input.MaxVersion ?? Infinity)]
      const found = all.flatMap((template) =>
        (Versions.length > 0
          ? Versions.map((version) => templates.version(template, version))
          : [...template.versions.values()].filter(({ number }) => number >= least && number <= most).reverse()
        ).map((version) => templates.versionJson(template, version))
      )
      const { items, next } = pageOf(found, input.NextToken, input.MaxResults, pageSize)
      return { LaunchTemplateVersions: items, NextToken: next }
    }),
    ModifyLaunchTemplate: operation<ModifyLaunchTemplateCommandInput, ModifyLaunchTemplateCommandOutput>(
      ModifyLaunchTemplate$,
      (input) => {
        const template = templates.find(input)
        if (input.DefaultVersion !== undefined) {
          template.default = templates.version(template, input.DefaultVersion).number
        }
        return { LaunchTemplate: templates.json(template) }
      }
    ),
    DeleteLaunchTemplate: operation<DeleteLaunchTemplateCommandInput, DeleteLaunchTemplateCommandOutput>(
      DeleteLaunchTemplate$,
      (input) => {
        const template = templates.find(input)
        templates.all.delete(template.id)
        return { LaunchTemplate: templates.json(template) }
      }
    ),
    DeleteLaunchTemplateVersions: operation<
      DeleteLaunchTemplateVersionsCommandInput,
      DeleteLaunchTemplateVersionsCommandOutput
    >(DeleteLaunchTemplateVersions$, (input) => {
      const template = templates.find(input)
      const place = { LaunchTemplateId: template.id, LaunchTemplateName: template.name }
      const [deleted, failed] = [[] as Array<object>, [] as Array<object>]
      for (const wanted of input.Versions ?? []) {
        const VersionNumber = Number(wanted)
        if (VersionNumber !== template.default && template.versions.delete(VersionNumber)) {
          deleted.push({ ...place, VersionNumber })
          continue
        }
        const known = VersionNumber === template.default
        const Code = known ? ("operationNotPermitted" as const) : ("launchTemplateVersionDoesNotExist" as const)
        const Message = known ? "Cannot delete the default version" : "The version does not exist"
        failed.push({ ...place, VersionNumber, ResponseError: { Code, Message } })
      }
      return {
        SuccessfullyDeletedLaunchTemplateVersions: deleted,
        UnsuccessfullyDeletedLaunchTemplateVersions: failed
      }
    })
  }
}
