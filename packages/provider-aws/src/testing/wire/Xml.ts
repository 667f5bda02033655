/**
 * Answers of the Query protocol.
 */
import type { NormalizedSchema } from "@smithy/core/schema"
import type { AwsError } from "./AwsError.ts"
import type { Dialect } from "./Query.ts"

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\r": "&#xD;",
  "\n": "&#xA;",
  "\t": "&#x9;"
}

const escaped = (text: string): string => text.replace(/[&<>"\r\n\t]/g, (character) => entities[character]!)

const tag = (name: string, content: string): string => (content === "" ? `<${name}/>` : `<${name}>${content}</${name}>`)

const named = (schema: NormalizedSchema, otherwise: string): string =>
  (schema.getMergedTraits().xmlName as string | undefined) ?? otherwise

/** The content of an element. */
const write = (schema: NormalizedSchema, value: unknown): string => {
  if (schema.isListSchema()) {
    const item = schema.getValueSchema()
    return (value as ReadonlyArray<unknown>).map((one) => tag(named(item, "member"), write(item, one))).join("")
  }
  if (schema.isMapSchema()) {
    const of = schema.getValueSchema()
    return Object.entries(value as object)
      .map(([key, one]) => tag("entry", tag("key", escaped(key)) + tag("value", write(of, one))))
      .join("")
  }
  if (schema.isStructSchema()) {
    let content = ""
    for (const [name, member] of schema.structIterator()) {
      const one = (value as Record<string, unknown>)[name]
      if (one === undefined || one === null) continue
      const key = (member.getMemberTraits().xmlName as string | undefined) ?? name
      content += tag(key, write(member, one))
    }
    return content
  }
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64")
  return escaped(String(value))
}

/** How an answer is wrapped. `namespace` is the one of the service. */
export interface Wrapping {
  readonly dialect: Dialect
  readonly namespace: string
  readonly requestId: string
}

/** The answer to a call of `operation`. */
export const toXml = (operation: string, schema: NormalizedSchema, value: unknown, wrapping: Wrapping): string => {
  const { dialect, namespace, requestId } = wrapping
  const content = write(schema, value ?? {})
  const inner =
    dialect === "ec2"
      ? tag("requestId", requestId) + content
      : tag(`${operation}Result`, content) + tag("ResponseMetadata", tag("RequestId", requestId))
  return `<${operation}Response xmlns="${namespace}">${inner}</${operation}Response>`
}

/** The answer to a call that failed. */
export const errorXml = ({ code, message, status }: AwsError, { dialect, namespace, requestId }: Wrapping): string => {
  const what = tag("Code", escaped(code)) + tag("Message", escaped(message))
  return dialect === "ec2"
    ? tag("Response", tag("Errors", tag("Error", what)) + tag("RequestID", requestId))
    : `<ErrorResponse xmlns="${namespace}">${
        tag("Error", tag("Type", status < 500 ? "Sender" : "Receiver") + what) + tag("RequestId", requestId)
      }</ErrorResponse>`
}
