import { canonicalJson } from "@signalbox/core/spi"
import { createHash } from "node:crypto"

/** A digest of JSON, independent of the order of keys. */
export const digestOf = (value: unknown): string => createHash("sha256").update(canonicalJson(value)).digest("hex")
