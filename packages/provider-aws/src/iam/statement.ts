/**
 * The statements of a policy.
 */
import type { Purpose } from "./calls.ts"

export interface Statement {
  readonly Sid: string
  readonly Effect: "Allow"
  readonly Action: ReadonlyArray<string>
  readonly Resource: string | ReadonlyArray<string>
  readonly Condition?: object
}

export interface Policy {
  readonly Version: "2012-10-17"
  readonly Statement: ReadonlyArray<Statement>
}

/** The calls of a service that some purposes need. */
export const named = (
  service: string,
  calls: Readonly<Record<string, Purpose>>,
  purposes: ReadonlyArray<Purpose>
): ReadonlyArray<string> =>
  Object.entries(calls)
    .filter(([, purpose]) => purposes.includes(purpose))
    .map(([call]) => `${service}:${call}`)
    .sort()
