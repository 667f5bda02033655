/**
 * Replaces the output of `effect/cli`: help on stdout, a short form for bare `signalbox`, and nothing for a wrong
 * command line, whose message and exit code come from `Main.ts`.
 */
import * as CliOutput from "effect/cli/CliOutput"
import * as Effect from "effect/Effect"
import { wantsColor } from "../host/color.ts"
import type { HostShape } from "../host/Host.ts"

const short = (version: string): string =>
  `signalbox ${version}: deploy, watch, roll back

  signalbox init           make a deployment of this folder
  signalbox deploy [id]    bring in a release
  signalbox status [id]    what is deployed where
  signalbox rollback [id]  go back to the release before
  signalbox attach [id]    watch what runs, or carry it on

Nothing here yet: signalbox init --example
Everything else: signalbox --help
`

export const presenter = (host: HostShape, color: boolean | undefined): CliOutput.Presenter => ({
  present: (event) =>
    Effect.sync(() => {
      switch (event._tag) {
        case "Help": {
          if (event.reason === "Implicit" && event.commandPath.length <= 1)
            return host.stdout.write(short(host.version))
          const formatter = CliOutput.defaultFormatter({ colors: wantsColor(host.env, host.stdout, color) })
          return host.stdout.write(`${formatter.formatHelpDoc(event.helpDoc).trimEnd()}\n`)
        }
        case "Version":
          return host.stdout.write(`${event.version}\n`)
        case "InvalidInvocation":
          return undefined
      }
    })
})
