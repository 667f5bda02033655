/**
 * What the two protocols say differently, in one form: 64-bit numbers, enums, times, and fields that are not set.
 */
import type { Json } from "@signalbox/core/spi"

/** A 64-bit number: text over REST, an object over gRPC. */
export const int = (value: unknown): number => (value === null || value === undefined ? 0 : Number(String(value)))

/** The name of an enum's value, which may be a number; without the prefix that all its names have. */
export const enumName = (names: ReadonlyArray<string>, value: unknown, prefix = ""): string => {
  const name = typeof value === "number" ? (names[value] ?? "") : String(value ?? "")
  return name.startsWith(prefix) ? name.slice(prefix.length) : name
}

/** A time in milliseconds; null if it is not set. */
export const millis = (value: unknown): number | null => {
  if (value === null || value === undefined) return null
  if (typeof value === "string") return Date.parse(value)
  const { nanos, seconds } = value as { readonly seconds?: unknown; readonly nanos?: number }
  return int(seconds) * 1000 + Math.floor((nanos ?? 0) / 1e6)
}

/** The last part of a resource's name: `api` of `projects/p/locations/l/services/api`. */
export const shortName = (name: unknown): string => {
  const text = String(name ?? "")
  return text.slice(text.lastIndexOf("/") + 1)
}

/** Fields that tell which one of several others is set. */
const choices = new Set(["values", "volumeType", "probeType", "reasons", "retries"])
const maps = new Set(["labels", "annotations", "limits"])

const isLong = (value: object): boolean => "low" in value && "high" in value && "unsigned" in value

/** A message as JSON that can be stored and sent again, without fields that have their default. */
export const plain = (value: unknown): Json | undefined => {
  switch (typeof value) {
    case "string":
      return value === "" ? undefined : value
    case "number":
      return value === 0 ? undefined : value
    case "boolean":
      return value ? true : undefined
    case "object":
      break
    default:
      return undefined
  }
  if (value === null || value instanceof Uint8Array) return undefined
  if (isLong(value)) return String(value) === "0" ? undefined : String(value)
  if (Array.isArray(value)) {
    const items = value.map((item) => plain(item) ?? null)
    return items.length === 0 ? undefined : items
  }
  const entries = Object.entries(value).flatMap(([key, inner]): Array<[string, Json]> => {
    if (choices.has(key) || key.startsWith("_")) return []
    const json = plain(inner)
    if (json === undefined) return []
    return maps.has(key) && Object.keys(json as object).length === 0 ? [] : [[key, json]]
  })
  return Object.fromEntries(entries)
}
