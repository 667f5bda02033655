/**
 * What a deployment had after one of its past executions, and whether the log still has what it takes to restore it.
 */
import type { EnvironmentState, StackInEnvironment } from "./Environment.ts"
import type { ExecutionState, StackState } from "./ExecutionState.ts"
import type { CorrelationId, StackName } from "./Ids.ts"
import type { Checkpoint, Release } from "./Release.ts"

/**
 * One stack that a restoration changes.
 *
 * *Details*: without a `checkpoint`, it cannot be restored: the log does not have one for this release (`record`), or the
 * stack is not deployed any more (`stack`). `release` is undefined if the log does not tell what the stack had.
 */
export type RestoredStack = { readonly name: StackName } & (
  | { readonly release: Release; readonly checkpoint: Checkpoint; readonly lacks?: undefined }
  | { readonly release: Release | undefined; readonly lacks: "record" | "stack"; readonly checkpoint?: undefined }
)

/** The stacks that have another release now than after an execution; all others stay as they are. */
export interface Restoration {
  readonly execution: ExecutionState
  readonly stacks: ReadonlyArray<RestoredStack>
}

/**
 * Whether a restoration changes anything, and everything that it needs is on record. Whether the providers still have
 * the releases is a question to them.
 */
export const isRestorable = ({ stacks }: Restoration): boolean =>
  stacks.length > 0 && stacks.every(({ checkpoint }) => checkpoint !== undefined)

const beganAt = ({ requestedAt, turnAt }: ExecutionState): number => turnAt ?? requestedAt

const deploys = ({ kind }: ExecutionState): boolean => kind === "deploy" || kind === "deploy-stack"

/** Whether the deployment was as it should be after an execution. */
const isPlace = (state: ExecutionState): boolean =>
  (deploys(state) || state.kind === "rollback") &&
  state.status === "completed" &&
  state.stacks.every(({ status }) => status === "deployed" || status === "not_deployed" || status === "destroyed")

/** The latest checkpoint of each release of each stack. */
const checkpointsOf = (
  executions: ReadonlyArray<ExecutionState>,
  now: ReadonlyArray<StackInEnvironment>
): ((stack: StackName, release: Release) => Checkpoint | undefined) => {
  const found = new Map<string, Checkpoint>()
  const add = (stack: StackName, checkpoint: Checkpoint | null) => {
    if (checkpoint?.release == null) return
    const key = `${stack}/${checkpoint.release.id}`
    if ((found.get(key)?.takenAt ?? -1) <= checkpoint.takenAt) found.set(key, checkpoint)
  }
  for (const { stacks } of executions) for (const { checkpoint, name } of stacks) add(name, checkpoint)
  for (const { checkpoint, name } of now) add(name, checkpoint)
  return (stack, release) => found.get(`${stack}/${release.id}`)
}

const changes = (state: ExecutionState): boolean => state.startedAt !== undefined && state.kind !== "observe"

/** What a stack had before an execution; undefined if its log does not tell. */
const before = (state: ExecutionState, { checkpoint, release }: StackState): Release | null | undefined => {
  if (!deploys(state) && state.kind !== "run") return undefined
  return checkpoint === null ? release : checkpoint.release
}

/** What each stack had before the first of some executions, from the oldest. */
const beginning = (inOrder: ReadonlyArray<ExecutionState>, now: ReadonlyArray<StackInEnvironment>) => {
  const had = new Map<StackName, Release | null | undefined>()
  for (const execution of inOrder) {
    for (const stack of execution.stacks) if (!had.has(stack.name)) had.set(stack.name, before(execution, stack))
  }
  for (const { name, release } of now) if (!had.has(name)) had.set(name, release)
  return had
}

/**
 * The restorations to all completed executions, the latest first.
 *
 * *Details*: `executions` belong to one environment, in any order; the older ones may be missing. A stack that did
 * not exist then stays as it is, and so does an irreversible one.
 */
export const restorations = (
  executions: ReadonlyArray<ExecutionState>,
  { stacks: now }: Pick<EnvironmentState, "stacks">
): ReadonlyArray<Restoration> => {
  const inOrder = executions.filter(changes).toSorted((left, right) => beganAt(left) - beganAt(right))
  const checkpointOf = checkpointsOf(inOrder, now)
  const had = beginning(inOrder, now)
  return inOrder
    .flatMap((execution): ReadonlyArray<Restoration> => {
      for (const { name, release } of execution.stacks) had.set(name, release)
      if (!isPlace(execution)) return []
      return [{ execution, stacks: now.flatMap((stack) => restored(stack, had.get(stack.name), checkpointOf)) }]
    })
    .toReversed()
}

const restored = (
  { name, release: current, spec, status }: StackInEnvironment,
  release: Release | null | undefined,
  checkpointOf: ReturnType<typeof checkpointsOf>
): ReadonlyArray<RestoredStack> => {
  if (release === null || release?.id === current?.id || spec?.irreversible !== undefined) return []
  if (release === undefined) return [{ name, release, lacks: "record" }]
  if (status !== "deployed" && status !== "failed") return [{ name, release, lacks: "stack" }]
  const checkpoint = checkpointOf(name, release)
  return checkpoint === undefined ? [{ name, release, lacks: "record" }] : [{ name, release, checkpoint }]
}

/**
 * The execution that a person means: by its correlation id, or the last completed one with a version.
 */
export const restorationOf = (all: ReadonlyArray<Restoration>, meant: string): Restoration | undefined =>
  all.find(({ execution }) => execution.correlationId === (meant as CorrelationId)) ??
  all.find(({ execution }) => execution.version === meant)

/**
 * The restorations beside one, the nearest in time first.
 */
export const nearest = (all: ReadonlyArray<Restoration>, to: Restoration): ReadonlyArray<Restoration> => {
  const at = all.indexOf(to)
  return all
    .map((one, index) => ({ one, away: Math.abs(index - at) }))
    .filter(({ one }) => one !== to && isRestorable(one))
    .toSorted((left, right) => left.away - right.away)
    .map(({ one }) => one)
}
