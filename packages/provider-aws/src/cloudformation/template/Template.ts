/**
 * Templates: reading, checking, and the record of the release in their metadata.
 */
import { Release } from "@signalbox/core/spi"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type Document, isMap, isScalar, parseDocument, type Pair, type YAMLMap } from "yaml"
import { digestOf } from "../../client/digestOf.ts"

/**
 * A template as it is submitted, and what it says. Short forms such as `!Ref` are written out in `content`, which has no
 * record of a release.
 */
export interface Template {
  readonly body: string
  readonly content: TemplateContent
  /** The release that a template which Signalbox has submitted brings in, and the one before. */
  readonly record: ReleaseRecord | null
}

export interface TemplateContent {
  readonly Resources?: Readonly<Record<string, { readonly Type?: string }>>
  readonly Parameters?: Readonly<Record<string, { readonly Default?: unknown; readonly NoEcho?: unknown }>>
  readonly [section: string]: unknown
}

/** What is kept in `Metadata.Signalbox`: CloudFormation turns it back together with the template. */
const ReleaseRecord = Schema.Struct({ release: Release, before: Schema.NullOr(Release) })
export type ReleaseRecord = typeof ReleaseRecord.Type

const key = "Signalbox"

const sequences = new Set(["Fn::GetAtt"])

/** The short forms of intrinsic functions: `!Sub x` is `{ "Fn::Sub": x }`. */
const written = (tag: string): string => {
  const name = tag.slice(1)
  return name === "Ref" || name === "Condition" ? name : `Fn::${name}`
}

const names =
  "Ref Condition And Base64 Cidr Equals FindInMap ForEach GetAtt GetAZs If ImportValue Join Length Not Or Select Split Sub ToJsonString Transform"

const customTags = names.split(" ").flatMap((name) => {
  const tag = `!${name}`
  const long = written(tag)
  return [
    {
      tag,
      resolve: (text: string) => ({ [long]: sequences.has(long) && text.includes(".") ? split(text) : text })
    },
    { tag, collection: "seq" as const, resolve: (value: unknown) => ({ [long]: plain(value) }) },
    { tag, collection: "map" as const, resolve: (value: unknown) => ({ [long]: plain(value) }) }
  ]
})

/** `!GetAtt Table.StreamArn`: the attribute may have more dots. */
const split = (text: string): ReadonlyArray<string> => {
  const at = text.indexOf(".")
  return [text.slice(0, at), text.slice(at + 1)]
}

const plain = (node: unknown): unknown => (node as { readonly toJSON?: () => unknown }).toJSON?.() ?? node

/** A mistake in a template: where it is, if that is known. */
export class TemplateMistake extends Error {}

const documentOf = (body: string): Document.Parsed => {
  const document = parseDocument(body, { customTags: customTags as never, logLevel: "silent", merge: true })
  const [error] = document.errors
  if (error !== undefined) throw new TemplateMistake(error.message.split("\n")[0]!.replace(/:$/, ""))
  return document
}

/** Reads a template, as it is in a file or as CloudFormation returns it. */
export const parseTemplate = (body: string): Template => {
  const whole: unknown = documentOf(body).toJS({ maxAliasCount: 1000 })
  if (typeof whole !== "object" || whole === null || Array.isArray(whole)) {
    throw new TemplateMistake("it is not a mapping of sections")
  }
  const { Metadata, ...sections } = whole as Record<string, unknown>
  if (typeof sections["Resources"] !== "object" || sections["Resources"] === null) {
    throw new TemplateMistake("it has no Resources")
  }
  const { [key]: record, ...others } = (Metadata ?? {}) as Record<string, unknown>
  return {
    body,
    content: { ...sections, ...(Object.keys(others).length === 0 ? {} : { Metadata: others }) },
    record: Option.getOrNull(Schema.decodeUnknownOption(ReleaseRecord)(record))
  }
}

/** Reads the template of a stack, whatever it is: one that cannot be read is known by its text. */
export const foundTemplate = (body: string): Template => {
  try {
    return parseTemplate(body)
  } catch {
    return { body, content: { text: body }, record: null }
  }
}

/** A digest of what a template says, whatever its format and its record. */
export const templateDigest = ({ content }: Template): string => `sha256:${digestOf(content)}`

/** The text of a template with the record of a release; everything else stays as it is written. */
export const withRecord = (body: string, record: ReleaseRecord): string => {
  const text = JSON.stringify(record)
  const root = documentOf(body).contents as YAMLMap
  const metadata = (root.items as ReadonlyArray<Pair>).find(({ key }) => isScalar(key) && key.value === "Metadata")
  const value = metadata?.value
  if (isMap(value) && value.items.length > 0) {
    const start = value.range![0]
    const own = value.items.find(({ key: name }) => isScalar(name) && name.value === key)
    if (own !== undefined) return replaced(body, own as Pair, text)
    if (value.flow === true) return `${body.slice(0, start + 1)}"${key}": ${text}, ${body.slice(start + 1)}`
    const indent = " ".repeat(start - (body.lastIndexOf("\n", start - 1) + 1))
    return `${body.slice(0, start)}${key}: ${text}\n${indent}${body.slice(start)}`
  }
  if (metadata !== undefined) return replaced(body, metadata, `{"${key}": ${text}}`)
  const start = root.range![0]
  return root.flow === true
    ? `${body.slice(0, start + 1)}"Metadata": {"${key}": ${text}}, ${body.slice(start + 1)}`
    : `${body.slice(0, start)}Metadata: {"${key}": ${text}}\n${body.slice(start)}`
}

const replaced = (body: string, { key, value }: Pair, text: string): string => {
  const range = (value as { readonly range?: readonly [number, number, number] } | null)?.range
  const end = (key as { readonly range: readonly [number, number, number] }).range[1]
  if (range === undefined) return `${body.slice(0, end)}: ${text}${body.slice(end).replace(/^\s*:/, "")}`
  // An empty value begins right after the colon.
  const gap = body[range[0] - 1] === ":" ? " " : ""
  return body.slice(0, range[0]) + gap + text + body.slice(range[1])
}
