/**
 * The messages of the API, from the definitions that the vendor's client ships: between JSON and the wire.
 */
import { readdirSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fromProto3JSON, type JSONValue, toProto3JSON } from "proto3-json-serializer"
import protobuf from "protobufjs"

const require = createRequire(import.meta.url)
/** Both packages have their definitions beside their program, `build/src/index.js`. */
const folder = (name: string) => join(dirname(require.resolve(name)), "..", "protos")

export type Json = JSONValue
export type JsonMessage = { readonly [key: string]: Json }

/** One method of a service, as gRPC calls it. */
export interface ProtoMethod {
  readonly path: string
  readonly name: string
  readonly request: string
  readonly response: string
}

/** The messages and services of Cloud Run. JSON is the standard form: enums by name, 64-bit numbers as text. */
export class Protos {
  readonly #root: protobuf.Root

  constructor() {
    this.#root = new protobuf.Root()
    const roots = [folder("@google-cloud/run"), folder("google-gax")]
    const known = new Set(
      roots.flatMap((root) =>
        readdirSync(root, { recursive: true, encoding: "utf8" }).map((file) => `${root}\n${file.replaceAll("\\", "/")}`)
      )
    )
    this.#root.resolvePath = (_, file) => {
      const root = roots.find((root) => known.has(`${root}\n${file}`))
      return root === undefined ? file : join(root, file)
    }
    this.#root
      .loadSync([
        "google/cloud/run/v2/service.proto",
        "google/cloud/run/v2/revision.proto",
        "google/cloud/run/v2/job.proto",
        "google/cloud/run/v2/execution.proto",
        "google/longrunning/operations.proto",
        "google/monitoring/v3/metric_service.proto",
        "google/rpc/error_details.proto",
        "google/rpc/status.proto"
      ])
      .resolveAll()
  }

  /** The methods of a service, by its full name. */
  methods(service: string): ReadonlyArray<ProtoMethod> {
    return this.#root.lookupService(service).methodsArray.map((method) => ({
      path: `/${service}/${method.name}`,
      name: method.name,
      request: method.resolvedRequestType!.fullName.slice(1),
      response: method.resolvedResponseType!.fullName.slice(1)
    }))
  }

  decode(type: string, bytes: Uint8Array): JsonMessage {
    return toProto3JSON(this.#root.lookupType(type).decode(bytes)) as JsonMessage
  }

  encode(type: string, json: JsonMessage): Buffer {
    const found = this.#root.lookupType(type)
    return Buffer.from(found.encode(this.#message(type, json)).finish())
  }

  /** JSON with the enums as a client asks for them; the names are what it may send. */
  normal(type: string, json: JsonMessage, numericEnums = false): JsonMessage {
    return toProto3JSON(this.#message(type, json), { numericEnums }) as JsonMessage
  }

  #message(type: string, json: JsonMessage): protobuf.Message {
    return fromProto3JSON(this.#root.lookupType(type), json as Json) as unknown as protobuf.Message
  }
}
