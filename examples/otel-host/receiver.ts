/**
 * Receives OTLP traces as a collector does, over HTTP and gRPC, and decodes their protobuf.
 */
import { createServer } from "node:http"
import * as Http2 from "node:http2"
import type { AddressInfo } from "node:net"

export interface Received {
  readonly service: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly name: string
  readonly links: ReadonlyArray<{ readonly traceId: string; readonly spanId: string }>
}

/** The values of a message's length-delimited fields, by their number. */
const fieldsOf = (message: Buffer): ReadonlyMap<number, ReadonlyArray<Buffer>> => {
  const fields = new Map<number, Array<Buffer>>()
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++]!
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  while (at < message.length) {
    const tag = varint()
    if ((tag & 7) === 0) varint()
    else if ((tag & 7) === 1) at += 8
    else if ((tag & 7) === 5) at += 4
    else {
      const length = varint()
      const values = fields.get(tag >>> 3) ?? []
      fields.set(tag >>> 3, [...values, message.subarray(at, at + length)])
      at += length
    }
  }
  return fields
}

const all = (message: Buffer, field: number): ReadonlyArray<Buffer> => fieldsOf(message).get(field) ?? []
const hex = (message: Buffer, field: number): string => all(message, field)[0]?.toString("hex") ?? ""
const text = (message: Buffer, field: number): string => all(message, field)[0]?.toString("utf8") ?? ""

/** Fields have the numbers of `opentelemetry/proto/trace/v1/trace.proto`. */
const spansIn = (request: Buffer): ReadonlyArray<Received> =>
  all(request, 1).flatMap((resourceSpans) => {
    const attributes = all(all(resourceSpans, 1)[0]!, 1)
    const name = attributes.find((attribute) => text(attribute, 1) === "service.name")
    const service = name === undefined ? "" : text(all(name, 2)[0]!, 1)
    const spans = all(resourceSpans, 2).flatMap((scopeSpans) => all(scopeSpans, 2))
    return spans.map((span) => ({
      service,
      traceId: hex(span, 1),
      spanId: hex(span, 2),
      parentSpanId: hex(span, 4) || undefined,
      name: text(span, 5),
      links: all(span, 13).map((link) => ({ traceId: hex(link, 1), spanId: hex(link, 2) }))
    }))
  })

export type Protocol = "http/protobuf" | "grpc"

/** Listens until `close`. */
export const listen = async (protocol: Protocol) => {
  const spans: Array<Received> = []
  const http = () =>
    createServer(async (request, response) => {
      const chunks: Array<Buffer> = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      if (request.url === "/v1/traces") spans.push(...spansIn(Buffer.concat(chunks)))
      response.setHeader("content-type", "application/x-protobuf").end()
    })
  const grpc = () =>
    Http2.createServer().on("stream", async (stream, headers) => {
      const chunks: Array<Buffer> = []
      for await (const chunk of stream) chunks.push(chunk as Buffer)
      // A message follows its compression flag and its length, which take five bytes.
      if (headers[":path"]?.endsWith("TraceService/Export")) spans.push(...spansIn(Buffer.concat(chunks).subarray(5)))
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true })
      stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }))
      stream.end(Buffer.alloc(5))
    })
  const server = protocol === "grpc" ? grpc() : http()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return { spans, url: `http://127.0.0.1:${port}`, close: () => void server.close() }
}
