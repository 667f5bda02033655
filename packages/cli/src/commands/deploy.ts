import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { usage } from "../main/Failure.ts"
import { invocation } from "../main/Invocation.ts"
import { artifacts } from "./artifacts.ts"
import { strategies } from "./choices.ts"
import { origins, queueing } from "./coordinating.ts"
import { by, correlationId, deployment, option, reason, requiredDeployment, stackArgument, text } from "./flags.ts"
import { operate } from "./operate.ts"

/** Flags of all commands that start an execution. */
export const starting = {
  wait: option("wait", "Wait for the end of the execution (default)"),
  detach: option("detach", "Run in the background and return; see: signalbox attach"),
  dryRun: option("dry-run", "Show the plan and change nothing"),
  correlationId,
  ...queueing,
  ...origins,
  by,
  reason,
  yes: option("yes", "Do not ask for confirmation").pipe(Flag.withAlias("y"))
}

/** `--wait` and `--detach` are mutually exclusive. */
export const background = (flags: { readonly wait: boolean; readonly detach: boolean }) =>
  flags.wait && flags.detach
    ? Effect.fail(usage("flags_conflict", "--wait and --detach exclude each other", "Give one of them.", "--detach"))
    : Effect.succeed(flags.detach)

const release = {
  artifact: artifacts("Artifact to deploy: a folder, an archive, a URL; with name= for one stack, repeatable"),
  version: text("version", "name", "Version to deploy"),
  strategy: Flag.Literals("strategy", strategies).pipe(
    Flag.optional,
    Flag.withDescription("Strategy for every stack, instead of the configured ones")
  )
}

export const deploy = Command.make(
  "deploy",
  { id: deployment, ...release, ...starting },
  Effect.fnUntraced(function* (flags) {
    const detach = yield* background(flags)
    yield* operate(yield* invocation, { ...flags, kind: "deploy", id: Option.getOrUndefined(flags.id), detach })
  })
).pipe(Command.withDescription("Deploy a release stack by stack, and roll back on failure"))

export const deployStack = Command.make(
  "deploy-stack",
  { id: requiredDeployment, stack: stackArgument, ...release, ...starting },
  Effect.fnUntraced(function* (flags) {
    const detach = yield* background(flags)
    yield* operate(yield* invocation, { ...flags, kind: "deploy-stack", detach })
  })
).pipe(Command.withDescription("Deploy a release of one stack; the status of the deployment does not change"))
