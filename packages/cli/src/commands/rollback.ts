import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { invocation } from "../main/Invocation.ts"
import { background, starting } from "./deploy.ts"
import { deployment, text } from "./flags.ts"
import { operate } from "./operate.ts"

export const rollback = Command.make(
  "rollback",
  {
    id: deployment,
    to: text(
      "to",
      "version|id",
      "Version, or correlation ID of an execution, to roll back to; by default one release back"
    ),
    ...starting
  },
  Effect.fnUntraced(function* (flags) {
    const detach = yield* background(flags)
    yield* operate(yield* invocation, { ...flags, kind: "rollback", id: Option.getOrUndefined(flags.id), detach })
  })
).pipe(
  Command.withDescription("Restore the previous release of every stack, or the releases after an earlier execution")
)
