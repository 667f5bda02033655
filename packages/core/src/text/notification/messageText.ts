/**
 * The text of a notification, for channels: single lines without control characters. A channel escapes its own markup.
 */

import type { Facts, Message, MessageEta, MessageStack, RecentEvent } from "../../domain/notification/index.ts"
import { escapeUnfit } from "../../domain/Line.ts"
import { alertText } from "../alertText.ts"
import { describe, progressText } from "../describe.ts"
import { shortSpan } from "../shortSpan.ts"
import { count, moment, words } from "../words.ts"
import { titleOf } from "./titles.ts"

/** A named value, such as `version` and `1.4.2`. */
export interface MessageField {
  readonly name: string
  readonly value: string
}

/**
 * What a notification says.
 *
 * *Details*: `title` is complete in itself, as the subject of a mail. `lines` are details, such as recent events or lines of a
 * log. All are single lines.
 */
export interface MessageText {
  readonly title: string
  readonly fields: ReadonlyArray<MessageField>
  readonly lines: ReadonlyArray<string>
  readonly links: ReadonlyArray<{ readonly label: string; readonly url: string }>
}

const field = (name: string, value: string | undefined): ReadonlyArray<MessageField> =>
  value === undefined || value === "" ? [] : [{ name, value }]

const eta = ({ earliest, latest, n }: MessageEta): string => `${moment(earliest)} to ${moment(latest)} (n = ${n})`

const stackLine = (stack: MessageStack): string => {
  const version =
    stack.version === undefined
      ? ""
      : stack.was === undefined || stack.was === stack.version
        ? ` ${stack.version}`
        : ` ${stack.version} (was ${stack.was})`
  const traffic = stack.traffic === undefined || stack.traffic === 0 ? "" : `, ${stack.traffic} % of the traffic`
  const address = stack.address === undefined ? "" : `, ${stack.address}`
  return `${stack.name}: ${words(stack.status)}${version}${traffic}${address}`
}

const recentLine = ({ at, failed, stack, what }: RecentEvent): string =>
  `${moment(at)} ${stack === undefined ? "" : `${stack}: `}${failed === true ? "failed: " : ""}${progressText(what)}`

const factFields = (facts: Facts): ReadonlyArray<MessageField> => {
  switch (facts.kind) {
    case "waiting":
      return facts.clearance === undefined ? [] : field("expected", eta(facts.clearance))
    case "progress":
      return facts.eta === undefined ? [] : field("expected end", eta(facts.eta))
    case "approval_requested":
      return facts.expiresAt === undefined
        ? []
        : field(
            "answer by",
            `${moment(facts.expiresAt)}${facts.otherwise === undefined ? "" : `, else ${facts.otherwise}`}`
          )
    case "failed":
    case "cancelled":
    case "rolled_back":
      return [
        ...(facts.error === undefined ? [] : field("to do", describe(facts.error).hint)),
        ...(facts.kind !== "rolled_back" || facts.affectedMs === undefined
          ? []
          : field("users reached the candidate for", shortSpan(facts.affectedMs)))
      ]
    case "locked":
      return facts.until === undefined ? [] : field("until", moment(facts.until))
    default:
      return []
  }
}

const factLines = (facts: Facts): ReadonlyArray<string> => {
  switch (facts.kind) {
    case "stalled":
    case "recovered":
    case "overdue":
    case "monitoring_gap":
      return [alertText(facts)]
    case "progress":
      return facts.recent.map(recentLine)
    case "failed":
      return facts.lines ?? []
    case "drift":
      return facts.fields.map(({ actual, expected, field: name }) => `${name} is ${actual}, not ${expected}`)
    case "recovery_summary":
      return [
        ...facts.items.map(({ at, environment, execution, kind, version }) =>
          [moment(at), words(kind), environment, version, execution].filter((part) => part !== undefined).join(" ")
        ),
        ...(facts.more === 0 ? [] : [`and ${count(facts.more, "more")}`])
      ]
    default:
      return []
  }
}

const labels: Readonly<Record<Message["links"][number]["to"], string>> = {
  console: "Console",
  trace: "Trace",
  workflow: "Workflow run",
  address: "Open",
  acknowledge: "Acknowledge",
  dashboard: "Dashboard"
}

/**
 * What a message says in English. Nothing in it breaks its line.
 */
export const messageText = (message: Message): MessageText => {
  const { execution, facts, stacks } = message
  const fields = [
    ...field("severity", message.severity),
    ...(execution === undefined
      ? []
      : [
          ...field("by", execution.by),
          ...field("reason", execution.reason),
          ...field("commit", execution.origin?.commit),
          ...field("command", execution.command)
        ]),
    ...factFields(facts),
    ...(execution === undefined ? [] : field("execution", execution.id))
  ]
  return {
    title: escapeUnfit(titleOf(message)),
    fields: fields.map(({ name, value }) => ({ name, value: escapeUnfit(value) })),
    lines: [...stacks.map(stackLine), ...factLines(facts)].map(escapeUnfit),
    links: message.links.map(({ to, url }) => ({ label: labels[to], url: escapeUnfit(url) }))
  }
}

/** Makes the text of a message; a team can replace it, for single kinds or all. */
export type MessageTemplate = (message: Message, usual: MessageText) => MessageText
