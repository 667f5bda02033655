import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { invocation } from "../main/Invocation.ts"
import { background, starting } from "./deploy.ts"
import { deployment, option, requiredDeployment, stackArgument, text } from "./flags.ts"
import { operate } from "./operate.ts"
import { orphans } from "./orphans.ts"

const confirm = text("confirm", "name", "Name of the target, as confirmation; or --yes")

export const destroy = Command.make(
  "destroy",
  {
    id: deployment,
    confirm,
    orphans: option("orphans", "List the stacks that run here but are not in the store; with --yes, stop them"),
    ...starting
  },
  Effect.fnUntraced(function* (flags) {
    if (flags.orphans) return yield* orphans(yield* invocation, flags)
    const detach = yield* background(flags)
    yield* operate(yield* invocation, {
      ...flags,
      kind: "destroy",
      id: Option.getOrUndefined(flags.id),
      detach,
      confirm: { yes: flags.yes, typed: flags.confirm }
    })
  })
).pipe(Command.withDescription("Remove every stack of an environment"))

export const destroyStack = Command.make(
  "destroy-stack",
  { id: requiredDeployment, stack: stackArgument, confirm, ...starting },
  Effect.fnUntraced(function* (flags) {
    const detach = yield* background(flags)
    yield* operate(yield* invocation, {
      ...flags,
      kind: "destroy-stack",
      detach,
      confirm: { yes: flags.yes, typed: flags.confirm }
    })
  })
).pipe(Command.withDescription("Remove one stack; the status of the deployment does not change"))
