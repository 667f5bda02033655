/**
 * Launch templates, whose versions never change.
 */
import type {
  LaunchTemplate as LaunchTemplateJson,
  LaunchTemplateVersion,
  RequestLaunchTemplateData,
  Tag
} from "@aws-sdk/client-ec2"
import type { SimulatedClock } from "../SimulatedClock.ts"
import { AwsError } from "../wire/AwsError.ts"
import { arnOf, type Place } from "../Place.ts"

/** A template by id or name, and a version: a number, `$Latest` or `$Default`. */
export interface TemplateReference {
  readonly LaunchTemplateId?: string | undefined
  readonly LaunchTemplateName?: string | undefined
  readonly Version?: string | undefined
}

/** A version that a reference leads to. */
export interface ResolvedTemplate {
  readonly id: string
  readonly name: string
  readonly version: number
  readonly data: RequestLaunchTemplateData
}

interface Version {
  readonly number: number
  readonly description: string | undefined
  readonly at: Date
  readonly data: RequestLaunchTemplateData
}

export class LaunchTemplate {
  readonly id: string
  readonly name: string
  readonly at: Date
  readonly tags: ReadonlyArray<Tag>
  readonly versions = new Map<number, Version>()
  default = 1
  latest = 0

  constructor(id: string, name: string, at: Date, tags: ReadonlyArray<Tag>) {
    this.id = id
    this.name = name
    this.at = at
    this.tags = tags
  }

  add(data: RequestLaunchTemplateData, description: string | undefined, at: Date): Version {
    this.latest += 1
    const version = { number: this.latest, description, at, data }
    this.versions.set(version.number, version)
    return version
  }
}

const creator = (place: Place): string =>
  arnOf(place, "sts", "assumed-role/deployer/signalbox").replace(place.region, "")

export class LaunchTemplates {
  readonly all = new Map<string, LaunchTemplate>()
  readonly #place: Place
  readonly #clock: SimulatedClock

  constructor(place: Place, clock: SimulatedClock) {
    this.#place = place
    this.#clock = clock
  }

  create(name: string, data: RequestLaunchTemplateData, description: string | undefined, tags: ReadonlyArray<Tag>) {
    if ([...this.all.values()].some((template) => template.name === name)) {
      throw new AwsError("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.")
    }
    const at = new Date(this.#clock.now())
    const template = new LaunchTemplate(`lt-0${this.#place.id(16)}`, name, at, tags)
    template.add(data, description, at)
    this.all.set(template.id, template)
    return template
  }

  addVersion(template: LaunchTemplate, data: RequestLaunchTemplateData, description: string | undefined): Version {
    return template.add(data, description, new Date(this.#clock.now()))
  }

  find({ LaunchTemplateId: id, LaunchTemplateName: name }: TemplateReference): LaunchTemplate {
    const found = id === undefined ? [...this.all.values()].find((one) => one.name === name) : this.all.get(id)
    if (found !== undefined) return found
    throw id === undefined
      ? new AwsError(
          "InvalidLaunchTemplateName.NotFoundException",
          `The specified launch template, with template name ${name}, does not exist.`
        )
      : new AwsError(
          "InvalidLaunchTemplateId.NotFound",
          `The specified launch template, with template ID ${id}, does not exist.`
        )
  }

  version(template: LaunchTemplate, version: string): Version {
    const wanted = version === "$Latest" ? template.latest : version === "$Default" ? template.default : Number(version)
    const found = template.versions.get(wanted)
    if (found !== undefined) return found
    throw new AwsError(
      "InvalidLaunchTemplateId.VersionNotFound",
      `Could not find launch template version ${version} of ${template.id}`
    )
  }

  resolve(reference: TemplateReference): ResolvedTemplate {
    const template = this.find(reference)
    const { data, number } = this.version(template, reference.Version ?? "$Default")
    return { id: template.id, name: template.name, version: number, data }
  }

  json(template: LaunchTemplate): LaunchTemplateJson {
    return {
      LaunchTemplateId: template.id,
      LaunchTemplateName: template.name,
      CreateTime: template.at,
      CreatedBy: creator(this.#place),
      DefaultVersionNumber: template.default,
      LatestVersionNumber: template.latest,
      Tags: [...template.tags]
    }
  }

  versionJson(template: LaunchTemplate, version: Version): LaunchTemplateVersion {
    return {
      LaunchTemplateId: template.id,
      LaunchTemplateName: template.name,
      VersionNumber: version.number,
      ...(version.description === undefined ? {} : { VersionDescription: version.description }),
      CreateTime: version.at,
      CreatedBy: creator(this.#place),
      DefaultVersion: version.number === template.default,
      LaunchTemplateData: version.data as LaunchTemplateVersion["LaunchTemplateData"]
    }
  }
}
