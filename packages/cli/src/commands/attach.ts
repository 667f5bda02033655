import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { carry, finish } from "../execution/carry.ts"
import { invocation } from "../main/Invocation.ts"
import { refuseNested } from "../request/nested.ts"
import { withProviders } from "../request/plugins.ts"
import * as Target from "../request/target.ts"
import { isFinished } from "./choices.ts"
import { queueing } from "./coordinating.ts"
import { execution } from "./flags.ts"

const follow = (id: string | undefined, queueTimeout?: number) =>
  Effect.gen(function* () {
    const inv = yield* invocation
    yield* withProviders(
      inv,
      { of: id },
      Effect.gen(function* () {
        const target = yield* Target.execution(inv, id, { last: true })
        if (isFinished(target)) return yield* finish(inv, target)
        yield* refuseNested(inv, target)
        yield* carry(inv, target.correlationId, queueTimeout)
      })
    )
  })

export const attach = Command.make("attach", { id: execution }, (flags) =>
  follow(Option.getOrUndefined(flags.id))
).pipe(Command.withDescription("Watch an execution to its end; carry it on if it has no runner"))

/** The effect of `--detach`. */
export const run = Command.make("__run", { id: execution, queueTimeout: queueing.queueTimeout }, (flags) =>
  follow(Option.getOrUndefined(flags.id), Option.getOrUndefined(flags.queueTimeout))
).pipe(Command.unlisted)
