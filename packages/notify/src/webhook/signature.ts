/**
 * Signatures of Standard Webhooks 1.0.0.
 */
import { NotifyFailure } from "@signalbox/core/plugin"
import { createHmac } from "node:crypto"

/**
 * The key of a secret `whsec_…`.
 *
 * *Errors*: throws `NotifyFailure` with `Invalid` unless it holds 24 to 64 bytes.
 */
export const signingKey = (secret: string, path: ReadonlyArray<string>): Buffer => {
  const text = secret.replace(/^whsec_/, "")
  const key = Buffer.from(text, "base64")
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(text)
  if (isBase64 && key.length >= 24 && key.length <= 64) return key
  throw new NotifyFailure({
    _tag: "Invalid",
    message: "the signing secret is not whsec_ followed by 24 to 64 bytes in base64",
    path: [...path],
    hint: `Make one: echo "whsec_$(openssl rand -base64 32)"`
  })
}

/**
 * The headers of one attempt: its id, its time and a signature for each key.
 */
export const signatureHeaders = (
  keys: ReadonlyArray<Buffer>,
  id: string,
  at: number,
  body: string
): Readonly<Record<string, string>> => {
  const timestamp = String(Math.floor(at / 1_000))
  const sign = (key: Buffer) => `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": keys.map(sign).join(" ")
  }
}
