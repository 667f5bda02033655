/**
 * `signalbox run -- <command>`: any command as a deployment: one at a time, in the log, in a trace.
 */
import * as Path from "node:path"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Clock from "effect/Clock"
import * as Schema from "effect/Schema"
import { CorrelationId, DeploymentId, type LeaseLost, Redaction, type StoreError, StackName } from "@signalbox/core/spi"
import type { Request } from "@signalbox/core/api"
import { executionView } from "@signalbox/core/api/views"
import { actor } from "../request/actor.ts"
import { hasExpired, isAway } from "../waiting/away.ts"
import { ExitCode, exitCodeOf } from "../main/ExitCode.ts"
import { type Failure, failure, usage } from "../main/Failure.ts"
import { invocation, type Invocation } from "../main/Invocation.ts"
import { headline, nextLines, why } from "../execution/outcome.ts"
import { inkOf } from "../main/Invocation.ts"
import { originOf } from "../request/origin.ts"
import { type Place, placeOf, within } from "../request/place.ts"
import { signalbox } from "../main/services.ts"
import { runDegraded } from "../wrap/degraded.ts"
import { setOutputs } from "../wrap/github.ts"
import { tellWaiting } from "../wrap/waiting.ts"
import { type CommandLine, wrappedBy } from "../wrap/wrapped.ts"
import { policies } from "./choices.ts"
import { origins, override } from "./coordinating.ts"
import { by, correlationId, option, reason, span, text } from "./flags.ts"

const flags = {
  command: Argument.String("command").pipe(
    Argument.variadic({ min: 1 }),
    Argument.withDescription("The command and its arguments, after --")
  ),
  deployment: Flag.String("deployment").pipe(
    Flag.withSchema(DeploymentId),
    Flag.optional,
    Flag.withMetavar("id"),
    Flag.withDescription("Deployment, such as DX6604E; by default the one of this folder or project")
  ),
  stack: Flag.String("stack").pipe(
    Flag.withSchema(StackName),
    Flag.atLeast(0),
    Flag.withMetavar("name"),
    Flag.withDescription("A stack that the command changes; may be repeated")
  ),
  version: text("version", "name", "Version that the command deploys"),
  correlationId,
  queue: Flag.Literals("queue", policies).pipe(
    Flag.optional,
    Flag.withDescription("Policy while another execution is running (fifo)")
  ),
  queueTimeout: span("queue-timeout", 0, 30 * 86_400_000, "Give up if still queued after this long").pipe(
    Flag.optional
  ),
  override,
  ...origins,
  logFile: text("log-file", "file", "File for the output, one line of JSON each; by default below .signalbox/log"),
  redact: Flag.String("redact").pipe(
    Flag.withSchema(Schema.NonEmptyString),
    Flag.atLeast(0),
    Flag.withMetavar("variable"),
    Flag.withDescription("Variable whose value is masked too; variables with secret-like names always are")
  ),
  degraded: option("degraded", "Run without a lease if the store is unavailable and the providers report no operation"),
  by,
  reason
}

type Flags = Command.Command.Config.Infer<typeof flags>

const lineOf = ({ host, settings }: Invocation, given: Flags, id: CorrelationId): CommandLine => {
  const [command = "", ...args] = given.command
  return {
    command,
    args,
    redactor: Redaction.make({ env: host.env, names: given.redact }),
    logFile: Option.match(given.logFile, {
      onNone: () => Path.join(settings.directory, ".signalbox", "log", `${id}.log`),
      onSome: (file) => Path.resolve(host.cwd, file)
    })
  }
}

/** The command as shown and stored, without its secrets. */
const shownOf = (given: Flags, { redactor }: CommandLine): string =>
  redactor.redact(given.command.join(" ")).slice(0, 2_000)

/** The program may be stopped between its request and the command: no other process would withdraw it. */
const takeBack = (id: CorrelationId, by: string) =>
  Effect.flatMap(signalbox, (box) =>
    box.coordination.cleanup(id, { status: "cancelled", by, reason: "interrupted before its command started" })
  ).pipe(Effect.timeoutOption("5 seconds"), Effect.ignore)

const expired = (id: CorrelationId, { message }: LeaseLost): Failure =>
  failure({
    code: "lease_expired",
    message,
    hint: `What the command did is not known: look at what is there. When the store can be reached again, close it with: signalbox cleanup ${id} --status failed`
  })

const carryOut = Effect.fnUntraced(function* (
  inv: Invocation,
  given: Flags,
  place: Place,
  id: CorrelationId,
  line: CommandLine,
  onRecorded: (joined: boolean) => void
) {
  const box = yield* signalbox
  yield* box.coordination.rejectNested(place, inv.host.env, "command")
  const some = <Key extends string, A>(key: Key, value: Option.Option<A>) =>
    (Option.isSome(value) ? { [key]: value.value } : {}) as { readonly [K in Key]?: A }
  const request: Request = {
    kind: "run",
    correlationId: id,
    deploymentId: place.deploymentId,
    environment: place.environment,
    manifest: place.manifest,
    by: actor(inv, given.by),
    stacks: given.stack,
    command: shownOf(given, line),
    ...(yield* originOf(inv, given)),
    ...some("version", given.version),
    ...some("queue", given.queue),
    ...some("override", given.override),
    ...some("reason", given.reason)
  }
  // If it were interrupted, its owner would be unknown; it is quick.
  const { execution, joined } = yield* Effect.uninterruptible(
    Effect.tap(box.executions.submit(request), ({ joined }) => Effect.sync(() => onRecorded(joined)))
  )
  if (joined && execution.finishedAt !== undefined) {
    yield* inv.say(`${id} has ended before: it is not run again`)
  }
  yield* setOutputs(inv, { "correlation-id": id })
  yield* inv.say(`signalbox: ${id} (${place.deploymentId} ${place.environment})`)

  let code: number | undefined
  const state = yield* Effect.scoped(
    Effect.gen(function* () {
      yield* Effect.forkScoped(tellWaiting(inv, id))
      if (Option.isSome(given.queueTimeout)) {
        yield* Effect.forkScoped(box.executions.withdrawAfter(id, given.queueTimeout.value))
      }
      return yield* box.executions.run(
        id,
        wrappedBy(inv, line, (exit) => (code = exit)),
        shownOf(given, line)
      )
    })
  ).pipe(Effect.catchIf(hasExpired, (lost) => Effect.fail(expired(id, lost))))
  const last = (yield* box.executions.get(id)) ?? state
  // If a command was stopped because its lease ended, its signal says nothing.
  const ended = exitCodeOf(last, undefined)
  const exitCode = ended === ExitCode.unavailable ? ended : (code ?? ended)
  yield* setOutputs(inv, { status: last.status, "exit-code": exitCode })
  const now = yield* Clock.currentTimeMillis
  if (inv.json) yield* inv.result({ ...executionView(last, now), exitCode, log: line.logFile }, () => [])
  else {
    const ink = { ...inkOf(inv), paint: inv.paintMessage }
    const lines = [headline(last, ink), ...why(last, ink), ...nextLines(last, ink)]
    for (const line of lines) yield* inv.say(line)
  }
  yield* inv.exit(exitCode)
})

export const run = Command.make(
  "run",
  flags,
  Effect.fnUntraced(function* (given) {
    const inv = yield* invocation
    const [first = ""] = given.command
    if (first.trim() === "") {
      return yield* usage("command_missing", "which command?", "Give it after --: signalbox run -- make deploy", "--")
    }
    const place = yield* placeOf(inv, Option.getOrUndefined(given.deployment), given.stack)
    const id = Option.getOrElse(given.correlationId, () => CorrelationId.make(crypto.randomUUID()))
    const line = lineOf(inv, given, id)
    let recorded = false
    // A position that existed before, or in which another process waits too, is kept.
    let own = false
    yield* within(inv, place, given.by, (here) =>
      carryOut(inv, given, here, id, line, (joined) => {
        recorded = true
        own = !joined
      }).pipe(Effect.onInterrupt(() => (own ? takeBack(id, actor(inv, given.by)) : Effect.void)))
    ).pipe(
      Effect.catchIf(
        (error) => isAway(error) && !recorded,
        (away) =>
          runDegraded(inv, {
            place,
            id,
            by: actor(inv, given.by),
            shown: shownOf(given, line),
            line,
            ...(Option.isSome(given.version) ? { version: given.version.value } : {}),
            allowed: given.degraded,
            away: away as StoreError
          })
      )
    )
  })
).pipe(Command.withDescription("Run any command as a deployment: with the lease, monitored and logged"))
