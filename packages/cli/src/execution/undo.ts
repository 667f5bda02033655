/**
 * What `rollback` and `destroy` would do, read from the state as they do: no provider is asked, nothing is deployed.
 */
import type { Request } from "@signalbox/core/api"
import type { Checkpoint, Environment, ExecutionSpec, Release, StackSpec } from "@signalbox/core/spi"
import { traceIdOf } from "@signalbox/core/telemetry"
import { mark, word } from "../live/glyphs.ts"
import { wrap } from "../live/text.ts"
import { plain } from "../live/words.ts"
import type { Ink } from "./outcome.ts"

interface Undoing {
  readonly name: string
  readonly provider: string
  readonly dependsOn: ReadonlyArray<string>
  readonly action: "rollback" | "destroy" | "none"
  readonly from: Release | null
  readonly to: Release | null
  /** Why a stack is not changed. */
  readonly because: string | null
}

/** Whether a request undoes instead of deploying; without loading the engine. */
export const undoes = ({ kind }: Pick<Request, "kind">): boolean =>
  kind === "rollback" || kind === "destroy" || kind === "destroy-stack"

/** Dependents before their dependencies. */
const dependentsFirst = (stacks: ReadonlyArray<StackSpec>): ReadonlyArray<StackSpec> => {
  const depth = (stack: StackSpec): number =>
    1 + Math.max(0, ...stacks.filter(({ name }) => stack.dependsOn.includes(name)).map(depth))
  return stacks.toSorted((left, right) => depth(right) - depth(left))
}

const undoing =
  (
    kind: Request["kind"],
    state: Environment.EnvironmentState | undefined,
    targets: ReadonlyMap<string, Checkpoint> | undefined
  ) =>
  (stack: StackSpec): Undoing => {
    const known = state?.stacks.find(({ name }) => name === stack.name)
    const from = known?.release ?? null
    const what = { name: stack.name, provider: stack.provider, dependsOn: stack.dependsOn, from }
    const nothing = (because: string): Undoing => ({ ...what, action: "none", to: from, because })
    const there = known !== undefined && known.status !== "not_deployed" && known.status !== "destroyed"
    if (!there) return nothing("nothing is there")
    if (kind !== "rollback") return { ...what, action: "destroy", to: null, because: null }
    if (stack.irreversible !== undefined) return nothing(`never undone: ${stack.irreversible}`)
    const checkpoint = targets === undefined ? known.checkpoint : targets.get(stack.name)
    const to = checkpoint?.release ?? null
    if (to === null || to.id === from?.id) {
      return nothing(targets === undefined ? "there is no earlier release" : "it was the same then, or not there")
    }
    return { ...what, action: "rollback", to, because: null }
  }

/** The effect on each stack, in order; `targets` are what a rollback restores if it names where it goes. */
export const undo = (
  request: Request,
  spec: ExecutionSpec,
  state: Environment.EnvironmentState | undefined,
  targets?: ReadonlyMap<string, Checkpoint>
): ReadonlyArray<Undoing> =>
  dependentsFirst(spec.stacks.filter(({ enabled }) => enabled)).map(undoing(request.kind, state, targets))

/** As JSON; the names match the plan of a deployment. */
export const undoView = (request: Request, all: ReadonlyArray<Undoing>) => ({
  deploymentId: request.deploymentId,
  correlationId: request.correlationId,
  traceId: traceIdOf(request.correlationId),
  kind: request.kind,
  environment: request.environment,
  triggeredBy: request.by,
  dryRun: true,
  stacks: all.map(({ action, because, dependsOn, from, name, provider, to }) => ({
    name,
    provider,
    dependsOn,
    action,
    release: to,
    from,
    reason: because
  }))
})

const line = (
  { action, because, from, name, provider, to }: Undoing,
  { columns, paint }: Ink
): ReadonlyArray<string> => {
  const sign = action === "rollback" ? mark("rolled_back")[0] : action === "destroy" ? "-" : "="
  const style = action === "rollback" ? "yellow" : action === "destroy" ? "red" : "dim"
  const text =
    action === "rollback"
      ? `${from?.version ?? "–"} → ${to?.version}`
      : action === "destroy"
        ? `${from?.version ?? "what is there"} is taken away`
        : `stays as it is: ${because}`
  const [first = "", ...more] = wrap(plain(`${name} (${provider})  ${text}`), columns - 4)
  return [`  ${paint(style, sign)} ${first}`, ...more.map((rest) => `      ${rest}`)]
}

/** For people. */
export const undoLines = (request: Request, all: ReadonlyArray<Undoing>, ink: Ink): ReadonlyArray<string> => {
  const changing = all.filter(({ action }) => action !== "none").length
  return [
    `${word(request.kind)} ${request.deploymentId} ${request.environment} would do, dependents first:`,
    ...all.flatMap((one) => line(one, ink)),
    ...wrap(
      changing === 0
        ? "Nothing changes."
        : `${changing} of ${all.length} stacks ${request.kind === "rollback" ? "go back" : "go away"}. Nothing was done yet: leave out --dry-run to do it.`,
      ink.columns
    )
  ]
}
