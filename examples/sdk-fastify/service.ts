/**
 * A service that deploys: Signalbox inside Fastify, without a line of Effect.
 *
 *     POST /deployments                       starts one; 202 with its id
 *     GET  /deployments/:id                   its state
 *     GET  /deployments/:id/events            its events, live (Server-Sent Events, resumable by Last-Event-ID)
 *     POST /deployments/:id/:command          approve, promote, pause, resume, retry, abort
 */
import type { Config } from "@signalbox/core"
import type { OperatorCommand, StoredEvent } from "@signalbox/core/spi"
import { type Connection, eventToJson, isSignalboxError, type SignalboxError } from "@signalbox/node"
import fastify, { type FastifyInstance } from "fastify"
import { Readable } from "node:stream"

interface Options {
  readonly signalbox: Connection
  readonly configuration: Config
  readonly deploymentId: string
}

interface Start {
  readonly environment: string
  readonly version: string
  readonly artifact?: string
  readonly correlationId?: string
}

const text = { type: "string", minLength: 1, maxLength: 256 } as const
const startSchema = {
  type: "object",
  required: ["environment", "version"],
  additionalProperties: false,
  properties: { environment: text, version: text, artifact: text, correlationId: text }
} as const
const commands: ReadonlyArray<OperatorCommand> = ["approve", "promote", "pause", "resume", "retry", "abort"]
const commandSchema = {
  params: { type: "object", properties: { command: { enum: commands } } },
  body: { type: ["object", "null"], additionalProperties: false, properties: { reason: text, stack: text } }
} as const

const statusOf: Readonly<Record<SignalboxError["_tag"], number>> = {
  ConfigurationError: 422,
  InvalidInputError: 400,
  NotFoundError: 404,
  BlockedError: 409,
  ConflictError: 409,
  LeaseLostError: 409,
  QueueTimeoutError: 504,
  StoreFailedError: 503,
  ProviderFailedError: 502,
  InterruptedError: 503,
  UnexpectedError: 500
}

/** One event of a stream of Server-Sent Events; its number is what a client that comes back names. */
const frame = (event: StoredEvent): string =>
  `id: ${event.seq}\nevent: ${event.event._tag}\ndata: ${JSON.stringify(eventToJson(event))}\n\n`

async function* frames(first: StoredEvent, rest: AsyncIterator<StoredEvent>): AsyncGenerator<string> {
  yield frame(first)
  for (;;) {
    const next = await rest.next().catch((error: unknown) => {
      // The client has gone, or the service ends: it comes back and goes on from the last number it had.
      if (isSignalboxError(error) && error._tag === "InterruptedError") return { done: true } as const
      throw error
    })
    if (next.done === true) return
    yield frame(next.value)
  }
}

/** The service; closing it pauses running executions, which the next start carries on. */
export const makeService = async ({ configuration, deploymentId, signalbox }: Options): Promise<FastifyInstance> => {
  const app = fastify()
  app.addHook("preClose", () => signalbox.close())
  app.setErrorHandler((error, _request, reply) =>
    isSignalboxError(error) ? reply.code(statusOf[error._tag]).send(error.toJSON()) : reply.send(error)
  )

  app.post<{ Body: Start }>("/deployments", { schema: { body: startSchema } }, async ({ body }, reply) => {
    const { correlationId, joined } = await signalbox.deploy({ ...body, configuration, deploymentId, by: "service" })
    const location = `/deployments/${correlationId}`
    return reply
      .code(202)
      .header("location", location)
      .send({ correlationId, joined, events: `${location}/events` })
  })

  app.get<{ Params: { id: string } }>("/deployments/:id", ({ params }) => signalbox.executions.get(params.id))

  app.get<{ Params: { id: string } }>("/deployments/:id/events", async ({ headers, params, raw }, reply) => {
    const gone = new AbortController()
    raw.socket.once("close", () => gone.abort())
    const after = Number(headers["last-event-id"] ?? 0) || 0
    const events = signalbox.executions.events(params.id, { after, signal: gone.signal })[Symbol.asyncIterator]()
    const first = await events.next()
    // The end of the stream: this tells a browser not to reconnect.
    if (first.done === true) return reply.code(204).send()
    return reply
      .type("text/event-stream")
      .header("cache-control", "no-store")
      .send(Readable.from(frames(first.value, events)))
  })

  app.post<{ Params: { id: string; command: OperatorCommand }; Body: { reason?: string; stack?: string } | null }>(
    "/deployments/:id/:command",
    { schema: commandSchema },
    async ({ body, params }, reply) => {
      await signalbox.executions.command(params.id, params.command, { ...body, by: "service" })
      return reply.code(202).send(await signalbox.executions.get(params.id))
    }
  )

  // What a service that ended, or was killed, has left behind.
  const { items } = await signalbox.executions.list({ deploymentId, finished: false })
  for (const { correlationId, status } of items) {
    if (status !== "queued") await signalbox.executions.attach(correlationId)
  }
  return app
}
