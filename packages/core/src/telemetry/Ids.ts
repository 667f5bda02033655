/**
 * The identity of a trace: it follows from the correlation id alone, so that every process finds it by itself.
 */
import { sha256 } from "./sha256.ts"

const namespace = "signalbox"
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const nil = "0".repeat(32)

const isUuid = (correlationId: string): boolean => uuid.test(correlationId) && correlationId.replaceAll("-", "") !== nil

/**
 * The trace that an execution is, as 32 hexadecimal digits: its correlation id without hyphens where that is a UUID, else
 * the first 16 bytes of a SHA-256 of it.
 *
 * *Gotchas*: a UUID of zeros is no valid trace id, and is digested.
 *
 * *Source*: W3C Trace Context level 2, "trace-id"; the digest as the GitHub Actions exporters do it.
 */
export const traceIdOf = (correlationId: string): string =>
  isUuid(correlationId)
    ? correlationId.replaceAll("-", "").toLowerCase()
    : sha256(`${namespace}${correlationId}`).slice(0, 32)

/**
 * The id, as 16 hexadecimal digits, of a span whose place in the trace is known: `path` names it within the execution.
 */
export const spanIdOf = (correlationId: string, path: string): string =>
  sha256(`${namespace}${correlationId}${path}`).slice(0, 16)

/**
 * The paths of the spans that are known from the log.
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
 * The W3C flags of the trace: `01` sampled, and `02` random where the id is as random as the recommendation asks.
 */
export const flagsOf = (correlationId: string, sampled: boolean): string =>
  `0${(sampled ? 1 : 0) + (isUuid(correlationId) ? 2 : 0)}`
