/**
 * What Signalbox records at the platform to know its own work again.
 */
import { canonicalJson, type StackRef } from "@signalbox/core/spi"
import { createHash } from "node:crypto"

/** A digest of JSON, independent of the order of keys. */
export const digestOf = (value: unknown): string => createHash("sha256").update(canonicalJson(value)).digest("hex")

/** Which stack something belongs to. */
export const stackIn = ({ deploymentId, environment, stack }: StackRef): string =>
  [deploymentId, environment, stack].join("/")

/** What the changes of a step are recorded under. */
export const stepOf = (idempotencyKey: string): string => digestOf(idempotencyKey).slice(0, 20)
