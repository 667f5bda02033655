/**
 * A notification as a CDEvent 0.5.1, whose body a CloudEvent carries.
 *
 * The four moments of an execution that CDEvents knows are its `pipelinerun` events. Everything else is a custom event, of a
 * type that starts with `dev.cdeventsx.signalbox-notification`. Content of the specified events is closed, so the
 * notification itself is `customData`.
 */
import { escapeUnfit, type Json, type Message, type MessageText, utf8Length } from "@signalbox/core/spi"
import { shrunk } from "./shrunk.ts"

/** The maximum of a body, by Standard Webhooks. */
export const maxBytes = 20_000

interface CdEventSubject {
  readonly type: string
  readonly content: Readonly<Record<string, string>>
}

const run = (predicate: string) => `dev.cdevents.pipelinerun.${predicate}.0.3.0`

const uriOf = ({ execution, links, stream }: Message): string => {
  const page = links.find(({ to }) => to === "workflow" || to === "dashboard" || to === "trace")
  if (page !== undefined && URL.canParse(page.url) && page.url.length <= 1_000) return new URL(page.url).href
  return `urn:signalbox:execution:${encodeURIComponent(execution?.id ?? stream)}`
}

const subjectOf = (message: Message, title: string): CdEventSubject => {
  const { execution, facts } = message
  const ended = (outcome: string): CdEventSubject => ({
    type: run("finished"),
    content: {
      ...named,
      outcome,
      ...(outcome === "success" ? {} : { errors: title.slice(0, 1_000) })
    }
  })
  const named = {
    pipelineName: escapeUnfit(
      [message.deployment?.project ?? message.stream, message.environment, execution?.kind]
        .filter((part) => part !== undefined)
        .join("/")
        .slice(0, 300)
    ),
    uri: uriOf(message)
  }
  if (execution !== undefined) {
    switch (facts.kind) {
      case "waiting":
        return { type: run("queued"), content: named }
      case "started":
        return { type: run("started"), content: named }
      case "completed":
        return ended("success")
      case "failed":
      case "rolled_back":
        return ended("failure")
      case "cancelled":
        return ended("cancel")
      default:
    }
  }
  const predicate = facts.kind.replaceAll("_", "")
  return { type: `dev.cdeventsx.signalbox-notification.${predicate}.0.1.0`, content: { kind: facts.kind } }
}

const notificationOf = (message: Message, text: MessageText): Json => {
  const { deployment, environment, execution, facts, severity, stacks } = message
  return {
    kind: facts.kind,
    severity,
    title: text.title,
    fields: text.fields.map(({ name, value }) => ({ name, value })),
    lines: [...text.lines],
    links: text.links.map(({ label, url }) => ({ label, url })),
    ...(deployment === undefined ? {} : { deployment: { ...deployment } }),
    ...(environment === undefined ? {} : { environment }),
    ...(execution === undefined
      ? {}
      : {
          execution: {
            id: execution.id,
            kind: execution.kind,
            status: execution.status,
            by: execution.by,
            ...(execution.version === undefined ? {} : { version: execution.version })
          }
        }),
    stacks: stacks.map(({ name, status, version }) => ({ name, status, ...(version === undefined ? {} : { version }) }))
  }
}

/** Attributes of CloudEvents become headers, so nothing in them may need escaping there. */
const path = (...parts: ReadonlyArray<string | undefined>): string =>
  parts
    .filter((part) => part !== undefined)
    .map((part) => encodeURIComponent(part.toWellFormed()).slice(0, 300).replace(/%.?$/, ""))
    .join("/")

/**
 * Makes the event, within `maxBytes`.
 */
export const cdEvent = (message: Message, text: MessageText): Json => {
  const { deployment, environment, event, execution, facts, stream } = message
  const source = `/signalbox/${path(deployment?.id, environment)}`.replace(/\/$/, "")
  const { content, type } = subjectOf(message, text.title)
  const whole = (customData: Json): Json => ({
    context: {
      specversion: "0.5.1",
      id: path(stream, event, facts.kind),
      source,
      type,
      timestamp: new Date(message.at).toISOString(),
      ...(execution === undefined ? {} : { chainId: execution.id })
    },
    subject: { id: path(execution?.id ?? stream), source, content },
    customData,
    customDataContentType: "application/json"
  })
  const notification = notificationOf(message, text)
  return shrunk(notification, whole, (json) => utf8Length(JSON.stringify(json)) <= maxBytes)
}

/** The attributes of the CloudEvent, as headers. */
export const cloudEventHeaders = (event: Json): Readonly<Record<string, string>> => {
  const { context, subject } = event as {
    readonly context: Readonly<Record<"id" | "source" | "type" | "timestamp", string>>
    readonly subject: { readonly id: string }
  }
  return {
    "content-type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": context.id,
    "ce-source": context.source,
    "ce-type": context.type,
    "ce-subject": subject.id,
    "ce-time": context.timestamp
  }
}
