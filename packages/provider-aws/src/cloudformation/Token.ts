/**
 * The tokens of the calls that begin operations. CloudFormation stamps them on every event of an operation, so its own
 * events tell which operations are ours, and which step has begun each.
 */
import type { StackRef } from "@signalbox/core/spi"
import { digestOf } from "../client/digestOf.ts"

/** How the tokens of a stack begin. */
export const tokensOf = ({ deploymentId, environment, stack }: StackRef): string =>
  `sb-${digestOf([deploymentId, environment, stack]).slice(0, 12)}-`

/** The token of a step. */
export const tokenOf = (ref: StackRef, idempotencyKey: string): string =>
  tokensOf(ref) + digestOf(idempotencyKey).slice(0, 20)

/**
 * The operation that a step was about to begin, as its handle keeps it: the token, the state of the stack before as the
 * time of its last change at AWS, and its id, under which it can be found after it is gone.
 */
export interface Begun {
  readonly token: string
  readonly since: number
  readonly stackId: string | null
}

export const handleOf = ({ since, stackId, token }: Begun): string =>
  [token, new Date(since).toISOString(), ...(stackId === null ? [] : [stackId])].join(" ")

export const begunBy = (handle: string | null): Begun | null => {
  if (handle === null) return null
  const [token, since, stackId] = handle.split(" ")
  return { token: token!, since: Date.parse(since!), stackId: stackId ?? null }
}
