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

  signalbox init           create a deployment for this folder
  signalbox deploy [id]    deploy a release
  signalbox status [id]    show what is deployed
  signalbox rollback [id]  restore the previous release
  signalbox attach [id]    watch an execution, or carry it on

To try it out: signalbox init --example
All commands: signalbox --help
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
