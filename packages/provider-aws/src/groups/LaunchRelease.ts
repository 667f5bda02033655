/**
 * A release as a version of a launch template: never changed, and described so that it is found again.
 */
import type { LaunchTemplateVersion } from "@aws-sdk/client-ec2"
import type { Candidate, ProviderReason, Release } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { digestOf } from "../client/digestOf.ts"
import { artifactPattern, type TemplateVersion } from "./LaunchProperties.ts"

/** What the description of a version may have. */
const longest = 255

/** Stand in user data for what a release brings. */
export const placeholders = { artifact: "__SIGNALBOX_ARTIFACT__", version: "__SIGNALBOX_VERSION__" }

const description = /^signalbox ([0-9a-f]{24}) ([0-9a-f]{24}) (\S+) (\S+)$/

const invalid = (message: string, path: string, hint: string): ProviderReason => ({
  _tag: "Invalid",
  message,
  path: [path],
  hint
})

export const describe = ({ artifact, configDigest, id, version }: Release): string =>
  ["signalbox", id, configDigest, encodeURIComponent(version), artifact].join(" ")

/** The release that a version of a launch template runs: the described one, or one that stands for what was found. */
export const releaseOf = ({
  LaunchTemplateId,
  VersionDescription = "",
  VersionNumber
}: Pick<LaunchTemplateVersion, "LaunchTemplateId" | "VersionDescription" | "VersionNumber">): Release => {
  const [, id, configDigest, version, artifact] = description.exec(VersionDescription) ?? []
  if (id !== undefined) {
    return { id, version: decodeURIComponent(version!), artifact: artifact!, configDigest: configDigest! }
  }
  const found = digestOf([LaunchTemplateId, VersionNumber]).slice(0, 24)
  return { id: found, version: `found-${VersionNumber}`, configDigest: found }
}

/** Whether Signalbox has made a version of a launch template. */
export const isRelease = ({ VersionDescription = "" }: LaunchTemplateVersion): boolean =>
  description.test(VersionDescription)

/** The release of a candidate; the base that its version is made from is its configuration. */
export const releaseFrom = (
  { artifact: configured, launchTemplate }: { readonly artifact?: string; readonly launchTemplate: TemplateVersion },
  { artifact = configured, version }: Candidate
): Effect.Effect<Release, ProviderReason> => {
  if (artifact === undefined) {
    return Effect.fail(invalid("there is no artifact", "artifact", "Set artifact, or name one with --artifact."))
  }
  if (!artifactPattern.test(artifact)) {
    const hint = "Name an image (ami-…) or an archive (s3://bucket/key)."
    return Effect.fail(invalid(`${artifact} is neither an image nor an archive in S3`, "artifact", hint))
  }
  const configDigest = digestOf(launchTemplate).slice(0, 24)
  const release = { id: digestOf([artifact, configDigest]).slice(0, 24), version, artifact, configDigest }
  const over = describe(release).length - longest
  return over > 0
    ? Effect.fail(
        invalid(`version and artifact are ${over} characters too long together`, "artifact", "Choose a shorter key.")
      )
    : Effect.succeed(release)
}

/** What the version of a release has in place of what its base has. */
export const launchDataOf = (
  base: LaunchTemplateVersion,
  { artifact = "", version }: Release
): Effect.Effect<{ readonly ImageId?: string; readonly UserData?: string }, ProviderReason> => {
  const { UserData } = base.LaunchTemplateData ?? {}
  const text = UserData === undefined ? "" : Buffer.from(UserData, "base64").toString("utf8")
  const isImage = artifact.startsWith("ami-")
  if (!isImage && !text.includes(placeholders.artifact)) {
    const hint = `Write ${placeholders.artifact} where the user data fetch the archive.`
    const message = `the user data of version ${base.VersionNumber} do not say where the archive belongs`
    return Effect.fail(invalid(message, "launchTemplate", hint))
  }
  const filled = text.replaceAll(placeholders.artifact, artifact).replaceAll(placeholders.version, version)
  return Effect.succeed({
    ...(isImage ? { ImageId: artifact } : {}),
    ...(filled === text ? {} : { UserData: Buffer.from(filled).toString("base64") })
  })
}
