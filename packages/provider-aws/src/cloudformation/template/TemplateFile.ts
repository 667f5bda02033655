/**
 * The template of a stack, as its properties name it: a file, a stack of CDK, or an object in S3.
 */
import type { Candidate, ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { readFile } from "node:fs/promises"
import { resolve } from "node:path"
import type { Properties } from "../Properties.ts"
import { cdkTemplate } from "./CdkOutput.ts"
import { isAddress } from "./TemplateAddress.ts"
import { parseTemplate, type Template, TemplateMistake } from "./Template.ts"

const invalid = (path: ReadonlyArray<string>, message: string, hint?: string): ProviderReason => ({
  _tag: "Invalid",
  message,
  path,
  ...(hint === undefined ? {} : { hint })
})

/** Reads a template from a file, or from what CDK has written. */
const fromFile = (directory: string, shown: string): Effect.Effect<string, ProviderReason> => {
  const [folder, stack] = shown.split("#")
  return Effect.tryPromise({
    try: async () => {
      const path = resolve(directory, folder!)
      return readFile(stack === undefined ? path : await cdkTemplate(path, stack), "utf8")
    },
    catch: (error) =>
      invalid(
        ["template"],
        error instanceof TemplateMistake
          ? `${folder}: ${error.message}`
          : `${shown} cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`
      )
  })
}

/** A value that CloudFormation shows is no secret. */
const checkSecrets = (
  shown: string,
  parameters: NonNullable<Template["content"]["Parameters"]>,
  properties: Properties
): Effect.Effect<void, ProviderReason> => {
  const open = Object.entries(properties.parameters).find(
    ([name, value]) => typeof value === "object" && String(parameters[name]?.NoEcho) !== "true"
  )?.[0]
  if (open === undefined) return Effect.void
  const message = `${open} takes a secret, but ${shown} lets CloudFormation show it`
  return Effect.fail(invalid(["parameters", open], message, `Declare ${open} with NoEcho: true.`))
}

/**
 * Reads the template of a candidate, and checks it. `shown` is its name for people; `fromS3` reads one that an address
 * names.
 */
export const templateOf = (
  directory: string,
  { artifact }: Candidate,
  properties: Properties,
  fromS3: (address: string) => Effect.Effect<string, ProviderReason>
): Effect.Effect<Template & { readonly shown: string }, ProviderReason> =>
  Effect.gen(function* () {
    const shown = artifact ?? properties.template
    if (shown === undefined) {
      const hint = "Name a file or an address in S3 in template, or give one with --artifact."
      return yield* Effect.fail(invalid(["template"], "there is no template", hint))
    }
    const body = yield* isAddress(shown) ? fromS3(shown) : fromFile(directory, shown)
    const template = yield* Effect.try({
      try: () => parseTemplate(body),
      catch: (error) => invalid(["template"], `${shown} is no template: ${(error as Error).message}`)
    })
    const declared = Object.keys(template.content.Parameters ?? {})
    const unknown = Object.keys(properties.parameters).find((name) => !declared.includes(name))
    if (unknown !== undefined) {
      const message = `${shown} has no parameter ${unknown}`
      const hint = declared.length === 0 ? "It has none." : `It has ${declared.join(", ")}.`
      return yield* Effect.fail(invalid(["parameters", unknown], message, hint))
    }
    yield* checkSecrets(shown, template.content.Parameters ?? {}, properties)
    return { ...template, shown }
  })
