/**
 * The context of every command: its settings, and where and how it writes.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { DescribedError } from "@signalbox/core/text"
import type { Settings } from "@signalbox/node"
import { Host, type HostShape } from "../host/Host.ts"
import { type Paint, paint, wantsColor } from "../host/color.ts"
import { printable, printableJson } from "../live/words.ts"
import { configuredStore } from "../request/config.ts"
import { root } from "./Root.ts"

export interface Invocation {
  readonly host: HostShape
  readonly json: boolean
  readonly settings: Settings
  /** Colours for results, on stdout. */
  readonly paint: Paint
  /** Colours for messages, on stderr. */
  readonly paintMessage: Paint
  /** Writes a result: the object with `--json`, otherwise the lines. */
  readonly result: (value: unknown, lines: () => ReadonlyArray<string>) => Effect.Effect<void>
  /** Writes one object of a stream, as one line of JSON. */
  readonly item: (value: unknown, lines: () => ReadonlyArray<string>) => Effect.Effect<void>
  /** Prints a message for people on stderr; nothing with `--json`, where stderr is for errors only. */
  readonly say: (line: string) => Effect.Effect<void>
  /** Warns on stderr; with `--json`, one object on a line. */
  readonly warn: (info: DescribedError) => Effect.Effect<void>
  readonly exit: (code: number) => Effect.Effect<void>
}

/** The colours and the width of results, as they are now. */
export const inkOf = ({ host, paint }: Invocation) => ({ paint, columns: host.stdout.columns() })

/** Writes lines of a result. Outside text in them cannot command the terminal. */
export const write = (host: HostShape, lines: ReadonlyArray<string>) =>
  Effect.sync(() => {
    if (lines.length > 0) host.stdout.write(`${lines.map(printable).join("\n")}\n`)
  })

const writeJson = (host: HostShape, value: unknown, indent: number | undefined) =>
  Effect.sync(() => host.stdout.write(`${printableJson(JSON.stringify(value, null, indent))}\n`))

/** Assembles the settings; loads nothing heavy before it is needed. */
export const invocation = Effect.gen(function* () {
  const host = yield* Host
  const flags = yield* root
  const { loadSettings } = yield* Effect.promise(() => import("../backend/config.ts"))
  const given = {
    environment: Option.getOrUndefined(flags.environment),
    region: Option.getOrUndefined(flags.region),
    config: Option.getOrUndefined(flags.config),
    directory: Option.getOrUndefined(flags.directory),
    color: Option.getOrUndefined(flags.color)
  }
  const found = yield* loadSettings({
    cwd: host.cwd,
    env: host.env,
    flags: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  })
  const store = found.databaseUrl === undefined ? yield* configuredStore({ host, settings: found }) : undefined
  const settings = store === undefined ? found : { ...found, databaseUrl: store }
  const print = (compact: boolean) => (value: unknown, lines: () => ReadonlyArray<string>) =>
    flags.json ? writeJson(host, value, compact || !host.stdout.isTTY ? undefined : 2) : write(host, lines())
  const result: Invocation = {
    host,
    json: flags.json,
    settings,
    paint: paint(!flags.json && wantsColor(host.env, host.stdout, settings.color)),
    paintMessage: paint(wantsColor(host.env, host.stderr, settings.color)),
    result: print(false),
    item: print(true),
    say: (line) =>
      Effect.sync(() => {
        if (!flags.json) host.stderr.write(`${printable(line)}\n`)
      }),
    warn: ({ hint, ...info }) =>
      Effect.sync(() => {
        const text = hint === undefined ? "" : `hint:    ${hint}\n`
        host.stderr.write(
          flags.json
            ? `${JSON.stringify({ warning: { ...info, ...(hint === undefined ? {} : { hint }) } })}\n`
            : `warning: ${info.message}\n${text}`
        )
      }),
    exit: (code) =>
      Effect.sync(() => {
        host.exit.code = code
      })
  }
  return result
})
