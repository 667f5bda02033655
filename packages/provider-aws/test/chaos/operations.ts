/**
 * What is done to a stack while its commands are killed: the kinds of operations, with what must be there afterwards.
 */
import { answer, functionResources, neverSignalled, templateOf } from "../cloudformation/platform.ts"

export const kinds = ["create", "update", "slow", "broken", "busy", "rollback", "destroy"] as const
export type Kind = (typeof kinds)[number]

/**
 * *Details*: `version` is live afterwards; undefined if the stack is gone. `template` is written before the command.
 */
export interface Operation {
  readonly kind: Kind
  readonly args: ReadonlyArray<string>
  readonly template?: object
  readonly code: number
  readonly version: string | undefined
}

/** What others make of the stack: slow enough that the command finds it in progress. */
export const theirs = (version: string) => templateOf(version, { ...functionResources, Slow: answer({ ms: 1_500 }) })

export const operation = (
  kind: Kind,
  {
    back,
    live,
    version
  }: { readonly back: string | undefined; readonly live: string | undefined; readonly version: string }
): Operation => {
  const deploy = (code: number, after: string | undefined, resources: object = {}): Operation => ({
    kind,
    args: ["deploy", "--version", version],
    template: templateOf(version, resources),
    code,
    version: after
  })
  if (kind === "slow") return deploy(0, version, { ...functionResources, Slow: answer({ ms: 800 }) })
  if (kind === "broken") return deploy(3, live, neverSignalled)
  if (kind === "rollback") return { kind, args: ["rollback"], code: 0, version: back }
  if (kind === "destroy") return { kind, args: ["destroy", "--yes"], code: 0, version: undefined }
  return deploy(0, version)
}
