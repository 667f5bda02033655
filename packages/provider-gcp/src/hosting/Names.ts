/**
 * What Signalbox records at Firebase Hosting: in the labels of a version its release, in the message of a release which
 * step made it.
 */
import type { Mutation, Release, StackRef } from "@signalbox/core/spi"
import { stackIn, stepOf } from "../marks.ts"

/** An idempotency key begins with the correlation ID of its execution. */
const correlationOf = ({ idempotencyKey }: Mutation): string => idempotencyKey.split("/")[0]!

/** Labels have lower-case letters, digits and hyphens, so anything else is written as `_` and its bytes in hexadecimal. */
const escaped = (text: string): string =>
  text.replaceAll(/[^a-z0-9-]/g, (char) =>
    [...new TextEncoder().encode(char)].map((byte) => `_${byte.toString(16).padStart(2, "0")}`).join("")
  )

const unescaped = (text: string): string => {
  const bytes = Array.from(text.matchAll(/_([0-9a-f]{2})|[^]/g), ([char, hex]) =>
    hex === undefined ? char.charCodeAt(0) : Number.parseInt(hex, 16)
  )
  return new TextDecoder().decode(Uint8Array.from(bytes))
}

const longestLabel = 63

/** A text that is longer than one label goes on in the next, `<key>-2`. */
const labelled = (key: string, text: string): Labels => {
  const whole = escaped(text)
  const parts = Math.max(1, Math.ceil(whole.length / longestLabel))
  return Object.fromEntries(
    Array.from({ length: parts }, (_, index) => [
      index === 0 ? key : `${key}-${index + 1}`,
      whole.slice(index * longestLabel, (index + 1) * longestLabel)
    ])
  )
}

const textIn = (labels: Labels, key: string): string | undefined => {
  let whole = labels[key]
  for (let part = 2; whole !== undefined && labels[`${key}-${part}`] !== undefined; part++)
    whole += labels[`${key}-${part}`]
  return whole === undefined ? undefined : unescaped(whole)
}

export type Labels = Readonly<Record<string, string>>

/** What a version records. `site` is where it was made: a copy at another site is no release of ours. */
export interface VersionRecord {
  readonly stack: string
  readonly site: string
  readonly step: string
  readonly release: Release
}

export const versionLabels = (
  { ref, site }: { readonly ref: StackRef; readonly site: string },
  { configDigest, id, version }: Release,
  mutation: Mutation
): Labels => ({
  "deployment-tool": "signalbox",
  "signalbox-config": configDigest,
  "signalbox-release": id,
  "signalbox-step": stepOf(mutation.idempotencyKey),
  ...labelled("signalbox-correlation", correlationOf(mutation)),
  ...labelled("signalbox-site", site),
  ...labelled("signalbox-stack", stackIn(ref)),
  ...labelled("signalbox-version", version)
})

export const recordIn = (labels: Labels): VersionRecord | null => {
  const [configDigest, id, step] = ["config", "release", "step"].map((key) => labels[`signalbox-${key}`])
  const [site, stack, version] = ["site", "stack", "version"].map((key) => textIn(labels, `signalbox-${key}`))
  if (!configDigest || !id || !step || !site || !stack || version === undefined) return null
  return { stack, site, step, release: { id, version, configDigest } }
}

/** The labels of a preview channel. */
export const channelLabels = (ref: StackRef): Labels => labelled("signalbox-stack", stackIn(ref))

/** The stack that a channel belongs to; undefined for one that Signalbox did not make. */
export const channelStack = (labels: Labels): string | undefined => textIn(labels, "signalbox-stack")

/** What the message of a release records. `from` is the version that was live before, where that has to be known later. */
export interface ReleaseRecord {
  readonly step: string
  readonly from: string | null
}

const longestMessage = 512

/** The message of a release: for people first, and at its end for the next look. */
export const messageOf = (
  { ref, version }: { readonly ref: StackRef; readonly version: string },
  mutation: Mutation,
  from: string | null = null
): string => {
  const record = `[signalbox ${stepOf(mutation.idempotencyKey)}${from === null ? "" : ` ${from}`}]`
  const said = `${version} of ${stackIn(ref)}, execution ${correlationOf(mutation)}`
  return `${said.slice(0, longestMessage - record.length - 1)} ${record}`
}

export const recordOfMessage = (message: string | undefined): ReleaseRecord | null => {
  const match = /\[signalbox ([0-9a-f]{20})(?: ([\w-]+))?\]$/.exec(message ?? "")
  return match === null ? null : { step: match[1]!, from: match[2] ?? null }
}
