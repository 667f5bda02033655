/**
 * The execution of `deploy` and `deploy-stack`.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as EventId from "../../domain/EventId.ts"
import { type CauseInfo, causeInfo } from "../../domain/errors/index.ts"
import type { StackName } from "../../domain/Ids.ts"
import type { StackPlan } from "../../domain/Release.ts"
import type { StackSpec } from "../../domain/Spec.ts"
import { candidateOf } from "../admission/index.ts"
import type { Candidate } from "../../spi/Provider.ts"
import { endWithNothingChanged, rollbackAfterFailure, halt, stackFailed } from "./FailureHandling.ts"
import * as GraphTraversal from "./GraphTraversal.ts"
import { healthCheck, planAll, planStack } from "./Preparation.ts"
import { deployStack, retire } from "./StackRollout.ts"
import { watchRelease } from "./ReleaseWatch.ts"
import {
  endStages,
  ExecutionContext,
  stacks,
  type StepFailed,
  type StepServices,
  transitionDeployment,
  transitionExecution,
  transitionStack,
  transitionStage
} from "../step/index.ts"

type Outcome = GraphTraversal.NodeOutcome<StackPlan, StepFailed>

/**
 * Initialization, health check, deployment over the graph, validation; rolls back to the checkpoints if one of them
 * fails.
 */
export const deploy: Effect.Effect<void, never, StepServices> = Effect.gen(function* () {
  const { journal } = yield* ExecutionContext
  yield* transitionDeployment("deploy_started")
  const prepared = yield* Effect.result(prepare)
  if (prepared._tag === "Failure") return yield* endWithNothingChanged(prepared.failure)

  const outcomes = yield* deployAll
  const { rollback } = journal.request.spec
  const failure = decisiveFailure(outcomes, rollback)
  if (failure !== undefined && mustGoBack(failure, rollback)) return yield* rollbackAfterFailure(failure)
  yield* transitionStage("deployment", failure === undefined ? "succeeded" : "failed")

  const validated = yield* validateAll(outcomes)
  const invalid = decisiveFailure(validated, rollback)
  if (invalid !== undefined && mustGoBack(invalid, rollback)) return yield* rollbackAfterFailure(invalid)
  yield* transitionStage("validation", invalid === undefined ? "succeeded" : "failed")

  yield* retireAll(outcomes, validated)
  yield* conclude(validated, failure ?? invalid)
})

const prepare: Effect.Effect<void, StepFailed, StepServices> = Effect.gen(function* () {
  yield* transitionStage("initialization", "started")
  yield* planAll(yield* candidates)
  yield* transitionStage("initialization", "succeeded")
  yield* healthCheck
})

const candidates: Effect.Effect<(stack: StackSpec) => Candidate, never, ExecutionContext> = Effect.map(
  ExecutionContext,
  ({ journal }) =>
    ({ name }) =>
      candidateOf(journal.request, name)
)

const mustGoBack = (failure: StepFailed, rollback: boolean) => rollback || failure.why === "aborted"

/** The failure that decides what happens: one that requires a rollback goes before others. */
const decisiveFailure = (
  outcomes: ReadonlyMap<string, GraphTraversal.NodeOutcome<unknown, StepFailed>>,
  rollback: boolean
): StepFailed | undefined => {
  const failures = [...outcomes.values()].flatMap((outcome) => (outcome._tag === "Failed" ? [outcome.error] : []))
  const own = failures.filter(({ why }) => why !== "halted")
  return own.find((failure) => mustGoBack(failure, rollback)) ?? own[0] ?? failures[0]
}

const deployAll: Effect.Effect<ReadonlyMap<StackName, Outcome>, never, StepServices> = Effect.gen(function* () {
  const { journal } = yield* ExecutionContext
  const { parallelism, rollback } = journal.request.spec
  const candidateOf = yield* candidates
  yield* transitionStage("deployment", "started")
  const outcomes = yield* GraphTraversal.traverse({
    nodes: yield* stacks,
    parallelism,
    work: (stack) =>
      deployOne(stack, candidateOf(stack)).pipe(
        Effect.tapError((failure) => (mustGoBack(failure, rollback) ? halt(failure) : stackFailed(stack, failure)))
      )
  })
  for (const [name, outcome] of outcomes) {
    if (outcome._tag === "Skipped") yield* skip(name, causeInfo("dependency_not_deployed", { stack: outcome.because }))
  }
  return outcomes
})

const deployOne = Effect.fnUntraced(function* (
  stack: StackSpec,
  candidate: Candidate
): Effect.fn.Return<StackPlan, StepFailed, StepServices> {
  const plan = yield* planStack(stack, candidate)
  if (plan.action === "none") yield* skip(stack.name, causeInfo("nothing_to_change", {}))
  else yield* deployStack(stack, plan)
  return plan
})

const skip = (stack: StackName, cause: CauseInfo) =>
  Effect.gen(function* () {
    const { journal } = yield* ExecutionContext
    for (const { name, status } of journal.state().stacks.find((state) => state.name === stack)?.stages ?? []) {
      if (status === "pending") yield* transitionStage(name, "skipped", { stack, cause })
    }
  })

/** The changed stacks, which now have to pass validation. */
const changed = (all: ReadonlyArray<StackSpec>, outcomes: ReadonlyMap<StackName, Outcome>) =>
  all.flatMap((stack) => {
    const outcome = outcomes.get(stack.name)
    return outcome?._tag === "Done" && outcome.value.action !== "none" ? [{ stack, plan: outcome.value }] : []
  })

const validateAll = (
  outcomes: ReadonlyMap<StackName, Outcome>
): Effect.Effect<ReadonlyMap<StackName, Outcome>, never, StepServices> =>
  Effect.gen(function* () {
    const { journal } = yield* ExecutionContext
    const { parallelism, rollback } = journal.request.spec
    const toValidate = changed(yield* stacks, outcomes)
    yield* transitionStage("validation", "started")
    const validated = yield* GraphTraversal.traverse({
      nodes: toValidate.map((item) => ({ ...item, name: item.stack.name, dependsOn: item.stack.dependsOn })),
      parallelism,
      // Dependencies first, and each one is judged: a failed one does not excuse its dependents.
      regardless: true,
      work: ({ plan, stack }) =>
        Effect.as(validateOne(stack, plan), plan).pipe(
          Effect.tapError((failure) =>
            mustGoBack(failure, rollback)
              ? halt(failure)
              : transitionStack(stack.name, "validation_failed", { error: failure.info })
          )
        )
    })
    return new Map([...outcomes, ...validated])
  })

const validateOne = Effect.fnUntraced(function* (
  stack: StackSpec,
  plan: StackPlan
): Effect.fn.Return<void, StepFailed, StepServices> {
  yield* transitionStage("validation", "started", { stack: stack.name })
  yield* watchRelease({
    stack,
    stage: "validation",
    label: "validation",
    release: plan.candidate,
    weight: 100,
    bake: Duration.zero,
    samples: "if_any"
  })
  yield* transitionStage("validation", "succeeded", { stack: stack.name })
})

/**
 * Removes the old releases. A failure is no reason to roll back, because the new ones are live; it is reported instead.
 */
const retireAll = (outcomes: ReadonlyMap<StackName, Outcome>, validated: ReadonlyMap<StackName, Outcome>) =>
  Effect.gen(function* () {
    const { journal } = yield* ExecutionContext
    const proven = changed(yield* stacks, outcomes).filter(({ stack }) => validated.get(stack.name)?._tag === "Done")
    yield* Effect.forEach(
      proven,
      ({ plan, stack }) =>
        Effect.catch(retire(stack, plan, 0, "validation"), (failure) =>
          journal.record(EventId.retireFailed(stack.name), {
            _tag: "ProgressReported",
            stack: stack.name,
            cause: causeInfo("old_release_left", { cause: failure.because })
          })
        ),
      { concurrency: journal.request.spec.parallelism, discard: true }
    )
  })

const conclude = (outcomes: ReadonlyMap<StackName, Outcome>, failure: StepFailed | undefined) =>
  Effect.gen(function* () {
    if (failure === undefined) {
      yield* transitionDeployment("deploy_completed")
      return yield* transitionExecution("completed")
    }
    const some = [...outcomes.values()].some(({ _tag }) => _tag === "Done")
    yield* endStages("failed", { cause: failure.because })
    yield* transitionDeployment(some ? "deploy_partial" : "deploy_failed", failure.because)
    yield* transitionExecution("failed", { error: failure.info })
  })
