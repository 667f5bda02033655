/**
 * What changes a stack: stage, rollback and destroy.
 */
import type { Stack } from "@aws-sdk/client-cloudformation"
import type { Checkpoint, ProviderReason, StackPlan } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Failure } from "./Calls.ts"
import * as ChangeSet from "./ChangeSet.ts"
import { type Deployable, unpack } from "./Deployable.ts"
import { inProgress, see } from "./Seen.ts"
import { isAtRest, meaningOf } from "./StackStatus.ts"
import { atRest, busy, type Ended, operate, resumed, settled, stuck, succeeded, type Work } from "./Work.ts"

const invalid = (message: string): ProviderReason => ({ _tag: "Invalid", message, path: [] })

const create = (work: Work, deployable: Deployable): Effect.Effect<Ended | null, Failure> =>
  Effect.flatMap(work.submit(deployable, null), (input) =>
    operate(work, null, "CreateStack", () =>
      Effect.asVoid(
        work.calls.change("CreateStack", work.mutation, (client, options) =>
          client.createStack(
            {
              StackName: work.name,
              ClientRequestToken: work.token,
              ...input
            },
            options
          )
        )
      )
    )
  )

const update = (work: Work, stack: Stack, deployable: Deployable): Effect.Effect<Ended | null, Failure> =>
  Effect.flatMap(work.submit(deployable, stack), (input) =>
    operate(work, stack, "UpdateStack", () =>
      Effect.asVoid(
        work.calls.change("UpdateStack", work.mutation, (client, options) =>
          client.updateStack(
            {
              StackName: work.name,
              ClientRequestToken: work.token,
              ...input
            },
            options
          )
        )
      )
    )
  )

/** Executes a change set to its end. */
export const execute = (work: Work, stack: Stack, changeSet: string): Effect.Effect<Ended | null, Failure> =>
  operate(work, stack, "ExecuteChangeSet", () =>
    Effect.asVoid(
      work.calls.change("ExecuteChangeSet", work.mutation, (client, options) =>
        client.executeChangeSet(
          {
            StackName: work.name,
            ChangeSetName: changeSet,
            ClientRequestToken: work.token,
            DisableRollback: false
          },
          options
        )
      )
    )
  )

const deletion = (
  work: Work,
  stack: Stack,
  how: { readonly RetainResources?: Array<string>; readonly DeletionMode?: "FORCE_DELETE_STACK" } = {}
): Effect.Effect<Ended | null, Failure> =>
  operate(work, stack, "DeleteStack", (stackId) =>
    Effect.asVoid(
      work.calls.change("DeleteStack", work.mutation, (client, options) =>
        client.deleteStack(
          {
            StackName: stackId!,
            ClientRequestToken: work.token,
            ...(work.properties.roleArn === undefined ? {} : { RoleARN: work.properties.roleArn }),
            ...how
          },
          options
        )
      )
    )
  )

/** Deletes a stack to its end, with what may be left behind if it cannot be deleted. */
const remove = (work: Work, stack: Stack): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { forceDestroy, retainOnDestroy } = work.properties
    const again =
      retainOnDestroy.length > 0
        ? { RetainResources: [...retainOnDestroy] }
        : forceDestroy
          ? { DeletionMode: "FORCE_DELETE_STACK" as const }
          : undefined
    const failed = stack.StackStatus === "DELETE_FAILED"
    const end = yield* deletion(work, stack, failed ? again : undefined)
    if (end?.status === "DELETE_FAILED" && !failed && again !== undefined) {
      return yield* remove({ ...work, token: `${work.token}-again` }, { ...stack, StackStatus: "DELETE_FAILED" })
    }
    if (end !== null) yield* succeeded(work, end)
  })

/** Brings in the release of a plan. */
export const stage = (work: Work, plan: StackPlan): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    yield* work.mutation.guard
    const before = yield* resumed(work)
    if (before !== undefined) return yield* succeeded(work, before)
    if (plan.action === "none") return
    const deployable = unpack(plan.data)
    if (deployable === null) return yield* Effect.fail(invalid("the plan has no template"))
    let stack = yield* settled(work)
    const seen = stack === null ? null : yield* see(work.calls, work.name)
    const { class: kind, hint } = meaningOf(stack?.StackStatus ?? "DELETE_COMPLETE")
    if (seen?.release.id === plan.candidate.id && kind === "usable") return
    if (kind === "stuck") return yield* Effect.fail(stuck(work.name, stack!.StackStatus!, hint))
    if (stack !== null && kind === "unusable") {
      yield* remove({ ...work, token: `${work.token}-before` }, stack)
      stack = null
    }
    if (stack === null) return yield* introduce(work, deployable)
    const changeSet = yield* executable(work, stack, plan, deployable)
    if (changeSet === "empty") return
    const end = yield* execute(work, stack, changeSet.id)
    if (end !== null) yield* succeeded(work, end)
  })

/** Creates a stack; one that others have announced by a change set can only be created by one. */
const introduce = (work: Work, deployable: Deployable): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    if ((yield* work.calls.stack(work.name)) === null) {
      const end = yield* create(work, deployable)
      return end === null ? undefined : yield* succeeded(work, end)
    }
    const changeSet = yield* ChangeSet.make(work, null, deployable)
    if (changeSet === "empty") return
    const announced = yield* work.calls.stack(work.name)
    const end = yield* execute(work, announced!, changeSet.id)
    if (end !== null) yield* succeeded(work, end)
  })

/** The change set of the plan; a new one if it cannot be executed any more. */
const executable = (
  work: Work,
  stack: Stack,
  { data }: StackPlan,
  deployable: Deployable
): Effect.Effect<ChangeSet.ChangeSet | "empty", Failure> =>
  Effect.gen(function* () {
    const planned = (data as { readonly changeSet?: string } | undefined)?.changeSet
    const known = planned === undefined ? null : yield* ChangeSet.existing(work, planned)
    if (known !== null) return known
    const made = yield* ChangeSet.make(work, stack, deployable)
    if (made !== "empty") yield* ChangeSet.protect(work, made)
    return made
  })

/** A way towards a state in which the checkpoint can be restored, in an operation of its own. */
const step = (work: Work, stack: Stack, how: "cancel" | "continue" | "rollBack"): Effect.Effect<void, Failure> => {
  const ClientRequestToken = `${work.token}-${how}`
  const StackName = work.name
  const { calls, mutation, properties } = work
  const role = properties.roleArn === undefined ? {} : { RoleARN: properties.roleArn }
  const call =
    how === "cancel"
      ? calls.change("CancelUpdateStack", mutation, (client, options) =>
          client.cancelUpdateStack({ StackName, ClientRequestToken }, options)
        )
      : how === "continue"
        ? calls.change("ContinueUpdateRollback", mutation, (client, options) =>
            client.continueUpdateRollback(
              { StackName, ClientRequestToken, ResourcesToSkip: [...properties.resourcesToSkip], ...role },
              options
            )
          )
        : calls.change("RollbackStack", mutation, (client, options) =>
            client.rollbackStack({ StackName, ClientRequestToken, ...role }, options)
          )
  return Effect.gen(function* () {
    // It may have ended, or been begun by an earlier call: the next look tells.
    yield* Effect.catch(call, (reason: Failure) =>
      reason._tag === "Invalid" || reason._tag === "Busy" || reason._tag === "Conflict"
        ? Effect.void
        : Effect.fail(reason)
    )
    yield* atRest(work, stack.StackId!)
  })
}

/** Brings a stack to rest: cancels an update of ours, waits for whatever else is ours, and leaves others alone. */
const stopped = (work: Work, stack: Stack): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const operation = yield* inProgress(work.calls, stack)
    const status = stack.StackStatus!
    const token = operation?.token ?? ""
    if (operation !== null && !token.startsWith(work.tokens) && meaningOf(status).class !== "cleaning") {
      return yield* Effect.fail(busy(stack, operation))
    }
    if (status === "UPDATE_IN_PROGRESS" && token !== work.token) return yield* step(work, stack, "cancel")
    return yield* Effect.asVoid(atRest(work, stack.StackId!))
  })

/** Restores a checkpoint, from whatever status the stack is in. */
export const rollback = (work: Work, checkpoint: Checkpoint): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    if (checkpoint.release === null) return yield* destroy(work)
    yield* work.mutation.guard
    const before = yield* resumed(work)
    if (before !== undefined) return yield* succeeded(work, before)
    const deployable = unpack(checkpoint.data)
    if (deployable === null) return yield* Effect.fail(invalid("the checkpoint has no template"))
    const tried = new Set<string>()
    for (;;) {
      const seen = yield* see(work.calls, work.name)
      if (seen === null) return yield* introduce(work, deployable)
      const { stack } = seen
      const status = stack.StackStatus!
      const { back, hint } = meaningOf(status)
      if (!isAtRest(status)) {
        yield* stopped(work, stack)
        continue
      }
      if (back === "refuse") return yield* Effect.fail(stuck(work.name, status, hint))
      if (back === "continue" || back === "rollBack") {
        if (tried.has(status)) {
          const message = `${work.name} stays in ${status}: ${stack.StackStatusReason ?? ""}`
          return yield* Effect.fail<ProviderReason>({ _tag: "Broken", message })
        }
        tried.add(status)
        yield* step(work, stack, back)
        continue
      }
      if (back === "delete") {
        yield* remove({ ...work, token: `${work.token}-before` }, stack)
        continue
      }
      if (seen.release.id === checkpoint.release.id) return
      const end = yield* update(work, stack, deployable)
      return end === null ? undefined : yield* succeeded(work, end)
    }
  })

/** Removes a stack; one that is gone is removed. */
export const destroy = (work: Work): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    yield* work.mutation.guard
    const before = yield* resumed(work)
    if (before?.status === "DELETE_COMPLETE") return
    let stack = yield* work.calls.existing(work.name)
    // A creation can be deleted while it is in progress.
    if (stack !== null && !isAtRest(stack.StackStatus!)) {
      if (stack.StackStatus !== "CREATE_IN_PROGRESS" || !(yield* isOwn(work, stack))) {
        yield* stopped(work, stack)
        stack = yield* work.calls.existing(work.name)
      }
    }
    if (stack !== null) yield* remove(work, stack)
  })

const isOwn = (work: Work, stack: Stack): Effect.Effect<boolean, ProviderReason> =>
  Effect.map(inProgress(work.calls, stack), (operation) => operation?.token.startsWith(work.tokens) === true)
