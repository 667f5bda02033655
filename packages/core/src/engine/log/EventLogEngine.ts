/**
 * A workflow engine whose journal is the event log: a step costs one intent and one receipt in the same log that
 * statuses are folded from.
 *
 * The parts of the contract of Effect's `WorkflowEngine` that it leaves out on purpose, since its one workflow does not
 * need them (compared with `WorkflowEngine.layerMemory`):
 * - One execution per engine. Executing another one is a defect, so there are no child workflows: nothing reads
 *   `parent` and `detached`, and the end of a child wakes no other run.
 * - The payload is not stored; it is in the request at the beginning of the log. Deferreds and clocks are identified by
 *   their name alone.
 * - The causes of a wake-up are not distinguished. A run that suspended upon a failure (`SuspendOnFailure`) is also
 *   replayed by the completion of a deferred or a clock, not only by an explicit `resume`; an interruption does not end
 *   it while it is suspended in this way.
 * - A run that was abandoned for a replay is interrupted like any other; no run moves to another engine while it works.
 * - A receipt keeps the first failure of a cause, or else its first defect, and of a defect its name, message and stack
 *   (or the value, if it is not an object). The rest of the cause, and causes of an error, are dropped.
 * - The outcome of the workflow itself has no receipt: events record it.
 * - Times are whole milliseconds. A clock fires at the first one that is not before its time.
 */
import * as Clock from "effect/Clock"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Workflow from "effect/workflow/Workflow"
import * as WorkflowEngine from "effect/workflow/WorkflowEngine"
import * as EventId from "../../domain/EventId.ts"
import type { StackName } from "../../domain/Ids.ts"
import type { StageName } from "../../domain/Machines.ts"
import type { Json } from "../../domain/Release.ts"
import type { Journal } from "./Journal.ts"

/**
 * The description of a step in its intent. Steps without one are journaled under their activity's name.
 */
export const StepInfo = Context.Reference<{
  readonly operation: string
  readonly stage?: StageName
  readonly stack?: StackName
}>("@signalbox/core/engine/log/StepInfo", { defaultValue: () => ({ operation: "step" }) })

type Body = (
  payload: object,
  executionId: string
) => Effect.Effect<unknown, unknown, WorkflowEngine.WorkflowInstance | WorkflowEngine.WorkflowEngine>

interface Run {
  readonly workflow: Workflow.Any
  readonly executionId: string
  readonly payload: object
  readonly body: Body
  readonly scope: Scope.Closeable
  readonly done: Deferred.Deferred<void>
  instance: WorkflowEngine.WorkflowInstance["Service"]
  fiber: Fiber.Fiber<Workflow.Result<unknown, unknown>> | undefined
  interrupted: boolean
  interruptedUnsafe: boolean
  wake: Effect.Effect<void> | undefined
}

/**
 * Creates the engine of one execution, on its journal.
 *
 * *Details*: one engine runs one workflow execution; its runner holds the claim that guards the journal's writes. A
 * step with a receipt returns it; a step with an intent but no receipt runs again. A suspended run (a durable clock, a
 * durable deferred) is replayed when it is woken up. Interrupting the scope stops the run without a receipt, so that
 * another runner finds it as after a crash.
 */
export const make = Effect.fnUntraced(function* (
  journal: Journal
): Effect.fn.Return<WorkflowEngine.WorkflowEngine["Service"], never, Scope.Scope> {
  const scope = yield* Effect.scope
  const deferredState = WorkflowEngine.makeDeferredState()
  const bodies = new Map<
    string,
    { readonly workflow: Workflow.Any; readonly body: Body; readonly scope: Scope.Scope }
  >()
  const clocks = new Set<string>()
  let current: Run | undefined

  const runOf = (executionId: string) => (current?.executionId === executionId ? current : undefined)

  const start = Effect.fnUntraced(function* (run: Run): Effect.fn.Return<void> {
    const running = run.fiber
    const exit = running?.pollUnsafe()
    if (exit?._tag === "Success" && exit.value._tag === "Complete") return
    if (running !== undefined && exit === undefined) {
      // The run is still winding down: replay once it has.
      if (run.wake !== undefined) return
      run.wake = Fiber.await(running).pipe(
        Effect.flatMap(() => {
          run.wake = undefined
          return start(run)
        })
      )
      yield* Effect.forkIn(run.wake, scope)
      return
    }
    const instance = WorkflowEngine.WorkflowInstance.initial(run.workflow, run.executionId, {
      scope: Scope.forkUnsafe(run.scope)
    })
    run.instance = instance
    run.fiber = yield* run.body(run.payload, run.executionId).pipe(
      Effect.onExit(() => {
        // A safe interrupt takes effect where the run would suspend, an unsafe one also where it would continue.
        if (!run.interrupted || (!run.interruptedUnsafe && !instance.suspended)) return Effect.void
        instance.interrupted = true
        instance.suspended = false
        return Effect.withFiber((fiber) => Effect.interruptible(Fiber.interrupt(fiber)))
      }),
      Workflow.intoResult,
      Effect.provideService(WorkflowEngine.WorkflowEngine, engine),
      (effect) => deferredState.trackRun(instance, effect),
      Effect.onExit((exit) =>
        Exit.isSuccess(exit) && exit.value._tag === "Suspended"
          ? Effect.void
          : Effect.andThen(
              Scope.close(run.scope, Exit.void),
              Exit.isSuccess(exit) ? Deferred.succeed(run.done, undefined) : Effect.void
            )
      ),
      Effect.forkIn(bodies.get(run.workflow._tag)!.scope)
    )
  })

  const wake = (executionId: string, name: string) =>
    Effect.gen(function* () {
      const run = runOf(executionId)
      if (run === undefined) return
      yield* deferredState.deferredDone(executionId, name)
      yield* start(run)
    })

  const engine: WorkflowEngine.WorkflowEngine["Service"] = WorkflowEngine.makeUnsafe({
    register: Effect.fnUntraced(function* (workflow, body) {
      bodies.set(workflow._tag, { workflow, body, scope: yield* Effect.scope })
    }),

    execute: Effect.fnUntraced(function* (workflow, options) {
      const registered = bodies.get(workflow._tag)
      if (registered === undefined) return yield* Effect.die(`workflow ${workflow._tag} is not registered`)
      if (current === undefined) {
        current = {
          workflow,
          executionId: options.executionId,
          payload: options.payload,
          body: registered.body,
          scope: Scope.makeUnsafe(),
          done: Deferred.makeUnsafe(),
          instance: WorkflowEngine.WorkflowInstance.initial(workflow, options.executionId),
          fiber: undefined,
          interrupted: false,
          interruptedUnsafe: false,
          wake: undefined
        }
        yield* start(current)
      }
      const run = runOf(options.executionId)
      if (run === undefined) return yield* Effect.die("this engine runs another execution")
      if (options.discard) return undefined as never
      const instance = run.instance
      const exit = yield* Fiber.await(run.fiber!)
      // A completion preempted the run: the caller asks again and finds the replay.
      return Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) && instance.suspended
        ? (new Workflow.Suspended({}) as never)
        : ((yield* exit) as never)
    }),

    awaitComplete: (_workflow, executionId) =>
      Effect.suspend(() => {
        const run = runOf(executionId)
        return run === undefined ? Effect.never : Deferred.await(run.done)
      }),

    poll: (_workflow, executionId) =>
      Effect.suspend(() => {
        const exit = runOf(executionId)?.fiber?.pollUnsafe()
        return exit === undefined ? Effect.succeedNone : Effect.asSome(exit)
      }),

    interrupt: (_workflow, executionId) =>
      Effect.suspend(() => {
        const run = runOf(executionId)
        if (run === undefined) return Effect.void
        run.interrupted = true
        return start(run)
      }),

    interruptUnsafe: (_workflow, executionId) =>
      Effect.gen(function* () {
        const run = runOf(executionId)
        if (run === undefined) return
        run.interrupted = true
        run.interruptedUnsafe = true
        if (run.fiber !== undefined) yield* Fiber.interrupt(run.fiber)
        yield* start(run)
      }),

    resume: (_workflow, executionId) =>
      Effect.suspend(() => {
        const run = runOf(executionId)
        return run === undefined ? Effect.void : start(run)
      }),

    activityExecute: Effect.fnUntraced(function* (activity, attempt) {
      const instance = yield* WorkflowEngine.WorkflowInstance
      const key = `${activity.name}#${attempt}`
      const receipt = journal.receipt(key)
      if (receipt !== undefined) return new Workflow.Complete({ exit: decodeExit(receipt, decodeDefect) })
      if (current?.interrupted === true && !instance.interrupted) return new Workflow.Suspended({})

      yield* journal.record(EventId.intent(key), {
        _tag: "StepStarted",
        step: activity.name,
        attempt,
        ...Context.get(activity.annotations, StepInfo)
      })
      yield* journal.commit

      const own = WorkflowEngine.WorkflowInstance.initial(instance.workflow, instance.executionId)
      own.interrupted = instance.interrupted
      const result = yield* activity.executeEncoded.pipe(
        Workflow.intoResult,
        Effect.provideService(WorkflowEngine.WorkflowInstance, own)
      )
      if (result._tag === "Complete") {
        yield* journal.record(EventId.receipt(key), {
          _tag: "StepFinished",
          step: activity.name,
          attempt,
          exit: encodeExit(result.exit)
        })
      }
      return result
    }),

    deferredResult: (deferred) =>
      // Its schema decodes the defect.
      Effect.sync(() =>
        Option.map(Option.fromUndefinedOr(journal.deferred(deferred.name)), (exit) => decodeExit(exit, identity))
      ),

    deferredDone: Effect.fnUntraced(function* (options) {
      if (journal.deferred(options.deferredName) !== undefined) return
      yield* journal.record(EventId.deferred(options.deferredName), {
        _tag: "DeferredDone",
        name: options.deferredName,
        exit: encodeExit(options.exit)
      })
      yield* journal.commit
      const inside = yield* Effect.serviceOption(WorkflowEngine.WorkflowInstance)
      const woken = wake(options.executionId, options.deferredName)
      // A finalizer of the run cannot wait for the end of its own run.
      yield* Option.isSome(inside) ? Effect.forkIn(woken, scope) : woken
    }),

    scheduleClock: Effect.fnUntraced(function* (workflow, { clock, executionId }) {
      const id = EventId.clock(clock.name)
      if (clocks.has(id)) return
      clocks.add(id)
      const now = yield* Clock.currentTimeMillis
      const end = Math.min(Math.ceil(now + Duration.toMillis(clock.duration)), Number.MAX_SAFE_INTEGER)
      yield* journal.record(id, { _tag: "ClockSet", name: clock.name, wakeAt: end })
      yield* journal.commit
      const wakeAt = journal.clock(clock.name) ?? now
      yield* engine
        .deferredDone(clock.deferred, {
          workflowName: workflow._tag,
          executionId,
          deferredName: clock.deferred.name,
          exit: Exit.void
        })
        .pipe(Effect.delay(Duration.millis(Math.max(0, wakeAt - now))), Effect.forkIn(scope))
    })
  })

  return engine
})

/** How a receipt stores the outcome of a step. Interruption is not an outcome and never gets here. */
const encodeExit = (exit: Exit.Exit<unknown, unknown>): Json => {
  if (Exit.isSuccess(exit)) return { _tag: "Success", value: (exit.value ?? null) as Json }
  const error = Cause.findErrorOption(exit.cause)
  return Option.isSome(error)
    ? { _tag: "Failure", error: error.value as Json }
    : { _tag: "Defect", defect: encodeDefect(Cause.squash(exit.cause)) }
}

const DefectJson = Schema.Defect({ includeStack: true, excludeCause: true })

/** A deferred passes an encoded value. Other objects may contain anything, including secrets, and are not stored. */
const encodeDefect = (defect: unknown): Json => {
  if (typeof defect !== "object" || defect === null || defect instanceof Error) {
    return Schema.encodeSync(DefectJson)(defect) as Json
  }
  const { message, name, stack } = defect as Readonly<Record<string, unknown>>
  if (typeof message !== "string") return { message: String(defect) }
  return {
    ...(typeof name === "string" ? { name } : {}),
    message,
    ...(typeof stack === "string" ? { stack } : {})
  }
}

const decodeDefect = Schema.decodeUnknownSync(DefectJson)

const decodeExit = (receipt: Json, defectOf: (defect: unknown) => unknown): Exit.Exit<unknown, unknown> => {
  const stored = receipt as {
    readonly _tag: string
    readonly value?: Json
    readonly error?: Json
    readonly defect?: Json
  }
  switch (stored._tag) {
    case "Success":
      return Exit.succeed(stored.value)
    case "Failure":
      return Exit.fail(stored.error)
    default:
      return Exit.die(defectOf(stored.defect))
  }
}
