/**
 * How a template gets to CloudFormation: in the call, or by way of a bucket if it is too long for that.
 */
import type { Mutation, ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { type Aws, type AwsPlace, awsReason } from "../../client/index.ts"
import type { Failure } from "../Calls.ts"

/** What CloudFormation takes in a call, and at all, in bytes. */
const inCall = 51_200
export const most = 1_000_000

/** Whether a template has to go through a bucket. */
export const isTooLong = (body: string): boolean => Buffer.byteLength(body) > inCall

export type TemplateInput = { readonly TemplateBody: string } | { readonly TemplateURL: string }

/** The part of a request that its address consists of. */
interface Address {
  readonly hostname: string
  readonly path: string
  readonly port?: number
  readonly protocol: string
}

/** Fails for a template that cannot be submitted. */
export const checkSize = (body: string, bucket: string | undefined): Effect.Effect<void, ProviderReason> => {
  const bytes = Buffer.byteLength(body)
  const too = (message: string, hint: string): Effect.Effect<void, ProviderReason> =>
    Effect.fail({ _tag: "Invalid", message, path: ["template"], hint })
  if (bytes > most) return too(`the template has ${bytes} bytes`, `CloudFormation takes ${most}: divide the stack.`)
  if (bytes <= inCall || bucket !== undefined) return Effect.void
  const hint = `More than ${inCall} go through a bucket: signalbox aws bootstrap --bucket, and aws({ bucket: "…" }) in plugins.`
  return too(`the template has ${bytes} bytes`, hint)
}

/** Uploads a long template under its digest, so that a repeat changes nothing. */
export const submitted = (
  aws: Aws,
  place: AwsPlace,
  bucket: string | undefined,
  body: string,
  { guard }: Mutation
): Effect.Effect<TemplateInput, Failure> => {
  if (bucket === undefined || !isTooLong(body)) return Effect.succeed({ TemplateBody: body })
  const Key = `signalbox/templates/${createHash("sha256").update(body).digest("hex")}`
  const put = Effect.tryPromise({
    try: async (abortSignal) => {
      const client = await aws.s3(place)
      const { PutObjectCommand } = await import("@aws-sdk/client-s3")
      const command = new PutObjectCommand({ Bucket: bucket, Key, Body: body })
      let url = ""
      // The address is the one that the client has found, in whatever partition.
      command.middlewareStack.add(
        (next) => (args) => {
          const { hostname, path, port, protocol } = args.request as Address
          url = `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}${path}`
          return next(args)
        },
        { step: "finalizeRequest" }
      )
      await client.send(command, { abortSignal })
      return { TemplateURL: url }
    },
    catch: (error) => awsReason(error, "s3:PutObject")
  })
  return Effect.andThen(guard, put)
}
