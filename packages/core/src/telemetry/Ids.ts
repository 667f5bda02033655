/**
 * The identity of a trace: it follows from the correlation id alone, so that every process computes the same one.
 */
import { sha256 } from "./sha256.ts"

const namespace = "signalbox"
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const nil = "0".repeat(32)

const isUuid = (correlationId: string): boolean => uuid.test(correlationId) && correlationId.replaceAll("-", "") !== nil

/**
 * The trace of an execution, as 32 hexadecimal digits: its correlation id without hyphens if that is a UUID, otherwise
 * the first 16 bytes of its SHA-256.
 *
 * *Gotchas*: a UUID of zeros is not a valid trace id, and is hashed.
 *
 * *Source*: W3C Trace Context level 2, "trace-id"; the digest as in the GitHub Actions exporters.
 */
export const traceIdOf = (correlationId: string): string =>
  isUuid(correlationId)
    ? correlationId.replaceAll("-", "").toLowerCase()
    : sha256(`${namespace}${correlationId}`).slice(0, 32)

/**
 * The id, as 16 hexadecimal digits, of a span with a known place in the trace: `path` names it within the execution.
 */
export const spanIdOf = (correlationId: string, path: string): string =>
  sha256(`${namespace}${correlationId}${path}`).slice(0, 16)

/**
 * The paths of the spans that come from the log.
 */
export const paths = {
  root: "root",
  run: (fence: number) => `/run/${fence}`,
  stage: (stage: string) => `/stage/${stage}`,
  stack: (stack: string, stage: string) => `/stack/${stack}/${stage}`,
  step: (step: string) => `/step/${step}`
} as const

/** The id of the root span of an execution. */
export const rootSpanIdOf = (correlationId: string): string => spanIdOf(correlationId, paths.root)

/**
 * The W3C flags of the trace: `01` sampled, and `02` random if the id is as random as the recommendation requires.
 */
export const flagsOf = (correlationId: string, sampled: boolean): string =>
  `0${(sampled ? 1 : 0) + (isUuid(correlationId) ? 2 : 0)}`
