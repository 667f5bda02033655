/**
 * How requests reach a collector: with a time limit, and abandoned at once if there is none.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import { isHttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import type { TraceData } from "effect/observability/OtlpTracer"
import type { SignalOptions } from "./OtelEnvironment.ts"

const absent = new Set(["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN"])

const isAbsent = (error: unknown): boolean => {
  let cause: unknown = isHttpClientError(error) ? error.reason : error
  for (let depth = 0; depth < 6 && typeof cause === "object" && cause !== null; depth++) {
    const { code, errors } = cause as {
      readonly code?: string
      readonly errors?: ReadonlyArray<{ readonly code?: string }>
    }
    if (absent.has(code ?? errors?.[0]?.code ?? "")) return true
    cause = (cause as { readonly cause?: unknown }).cause
  }
  return false
}

/**
 * The client of one signal. Effect's exporter retries failures three times, a second apart; a missing collector is not
 * worth that, and is reported as a defect, which it does not retry.
 */
export const client = (options: SignalOptions): Layer.Layer<HttpClient.HttpClient> =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(HttpClient.HttpClient, (fetching) =>
      HttpClient.transform(fetching, (response) =>
        Effect.timeoutOrElse(response, {
          duration: Duration.millis(options.timeout),
          orElse: () => Effect.die(new Error("the collector did not answer in time"))
        }).pipe(Effect.catchIf(isAbsent, () => Effect.die(new Error("no collector is there"))))
      )
    )
  ).pipe(Layer.provide(FetchHttpClient.layer))

/** The encoding of one signal. */
export const serialization = ({ protocol }: SignalOptions): Layer.Layer<OtlpSerialization.OtlpSerialization> =>
  protocol === "http/json" ? OtlpSerialization.layerJson : OtlpSerialization.layerProtobuf

/** Sends spans at once, and tells whether the collector accepted them. Does not retry: the caller will ask again. */
export const post = Effect.fnUntraced(function* (options: SignalOptions, data: TraceData) {
  const { traces } = yield* OtlpSerialization.OtlpSerialization
  const http = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
  const plain = HttpClientRequest.setBody(
    HttpClientRequest.post(options.url, { headers: options.headers }),
    traces(data)
  )
  const request = options.compression === "gzip" ? yield* HttpClientRequest.compressBody(plain, "gzip") : plain
  const response = yield* http.execute(request)
  yield* Effect.ignore(response.arrayBuffer)
}, Effect.withTracerEnabled(false))
