/**
 * The API over gRPC.
 */
import * as grpc from "@grpc/grpc-js"
import type { ApiError } from "./ApiError.ts"
import type { Call } from "./ReceivedCalls.ts"
import type { JsonMessage, Protos } from "./Protos.ts"

const refusal = (protos: Protos, { code, details, message }: ApiError): Partial<grpc.StatusObject> => {
  const metadata = new grpc.Metadata()
  const status = { code, message, details: details as unknown as Array<JsonMessage> }
  metadata.set("grpc-status-details-bin", protos.encode("google.rpc.Status", status))
  return { code, details: message, metadata }
}

/** Listens on a free port of the loopback interface. */
export const serveGrpc = async (
  protos: Protos,
  services: ReadonlyArray<string>,
  call: Call
): Promise<{ readonly port: number; readonly close: () => void }> => {
  const server = new grpc.Server()
  for (const service of services) {
    const methods = protos.methods(service)
    const definition = Object.fromEntries(
      methods.map(({ name, path, request, response }) => [
        name,
        {
          path,
          requestStream: false,
          responseStream: false,
          requestSerialize: (json: JsonMessage) => protos.encode(request, json),
          requestDeserialize: (bytes: Buffer) => protos.decode(request, bytes),
          responseSerialize: (json: JsonMessage) => protos.encode(response, json),
          responseDeserialize: (bytes: Buffer) => protos.decode(response, bytes)
        }
      ])
    )
    server.addService(
      definition,
      Object.fromEntries(
        methods.map(({ name }) => [
          name,
          (received: grpc.ServerUnaryCall<JsonMessage, JsonMessage>, answer: grpc.sendUnaryData<JsonMessage>) =>
            void call(service, name, received.request).then(
              (json) => answer(null, json),
              (error: ApiError) => answer(refusal(protos, error))
            )
        ])
      )
    )
  }
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error)
    )
  )
  return { port, close: () => server.forceShutdown() }
}
