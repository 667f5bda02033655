/**
 * Templates in S3: `s3://bucket/key`, or the URL that the console shows.
 */
import type { ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { type Aws, type AwsPlace, awsReason } from "../../client/index.ts"
import { most } from "./TemplateUpload.ts"

/** Where an object is. The region is only known from some addresses. */
export interface TemplateAddress {
  readonly bucket: string
  readonly key: string
  readonly region?: string
  readonly version?: string
}

const host =
  /^(?:([a-z0-9][a-z0-9.-]+)\.)?s3(?:\.dualstack)?(?:[.-]([a-z]{2}(?:-[a-z]+)+-\d))?\.amazonaws\.com(?:\.cn)?$/

/** Whether a template is named by an address, and not by a path. */
export const isAddress = (template: string): boolean => /^(s3|https?):/i.test(template)

/** Reads an address; undefined if it is none of S3. */
export const parseTemplateAddress = (text: string): TemplateAddress | undefined => {
  if (!URL.canParse(text)) return undefined
  const { hostname, password, pathname, protocol, searchParams, username } = new URL(text)
  if (username !== "" || password !== "") return undefined
  const path = decodeURIComponent(pathname.slice(1))
  const version = searchParams.get("versionId")
  const more = version === null ? {} : { version }
  const of = (bucket: string, key: string, region?: string): TemplateAddress | undefined =>
    bucket === "" || key === "" ? undefined : { bucket, key, ...(region === undefined ? {} : { region }), ...more }
  if (protocol === "s3:") return of(hostname, path)
  const [whole, bucket, region] = host.exec(hostname) ?? []
  if (protocol !== "https:" || whole === undefined) return undefined
  if (bucket !== undefined) return of(bucket, path, region)
  const slash = path.indexOf("/")
  return slash === -1 ? undefined : of(path.slice(0, slash), path.slice(slash + 1), region)
}

const invalid = (message: string, hint?: string): ProviderReason => ({
  _tag: "Invalid",
  message,
  path: ["template"],
  ...(hint === undefined ? {} : { hint })
})

/** Reads a template from S3. A malformed address fails without a call. */
export const readTemplate = (aws: Aws, place: AwsPlace, text: string): Effect.Effect<string, ProviderReason> => {
  const address = parseTemplateAddress(text)
  if (address === undefined) {
    const hint = "Write s3://bucket/key, or https://bucket.s3.region.amazonaws.com/key."
    return Effect.fail(invalid(`${text} is no address of an object in S3`, hint))
  }
  const { bucket: Bucket, key: Key, region = place.region, version } = address
  return Effect.tryPromise({
    try: async (abortSignal) => {
      const client = await aws.s3({ ...place, region })
      const more = version === undefined ? {} : { VersionId: version }
      const { Body, ContentLength = 0 } = await client.getObject({ Bucket, Key, ...more }, { abortSignal })
      if (ContentLength <= most) return (await Body?.transformToString()) ?? ""
      Body?.transformToWebStream().cancel()
      return ContentLength
    },
    catch: (error) => {
      const reason = awsReason(error, version === undefined ? "s3:GetObject" : "s3:GetObjectVersion")
      const missing = /^NoSuch(Key|Bucket|Version)|^NotFound/.exec((error as Error).name)?.[0]
      return missing === undefined ? reason : invalid(`${text} cannot be read: ${missing}`)
    }
  }).pipe(
    Effect.flatMap((read) =>
      typeof read === "string"
        ? Effect.succeed(read)
        : Effect.fail(invalid(`${text} has ${read} bytes`, `CloudFormation takes ${most}: divide the stack.`))
    )
  )
}
