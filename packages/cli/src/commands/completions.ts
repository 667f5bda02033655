import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Completions from "effect/cli/Completions"
import * as Effect from "effect/Effect"
import { Host } from "../host/Host.ts"
import { write } from "../main/Invocation.ts"
import { root } from "../main/Root.ts"

/** Created last, because it describes all the others. */
export const completions = (describe: () => Command.Command.Any) =>
  Command.make(
    "completions",
    {
      shell: Argument.Literals("shell", ["bash", "zsh", "fish"]).pipe(
        Argument.withDescription("Shell: bash, zsh or fish")
      )
    },
    Effect.fnUntraced(function* ({ shell }) {
      const host = yield* Host
      const { json } = yield* root
      const script = Completions.generate("signalbox", shell, Completions.fromCommand(describe())).trimEnd()
      yield* write(host, json ? [JSON.stringify({ shell, script })] : script.split("\n"))
    })
  ).pipe(Command.withDescription("Print a completion script: source <(signalbox completions bash)"))
