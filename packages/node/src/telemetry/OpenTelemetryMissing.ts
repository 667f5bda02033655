import type { EdgeError } from "@signalbox/core/spi"
import * as Data from "effect/Data"

/**
 * `@opentelemetry/api` cannot be loaded.
 *
 * *Errors*: not retryable.
 */
export class OpenTelemetryMissing extends Data.TaggedError("OpenTelemetryMissing")<{ readonly cause: unknown }> {
  override get message(): string {
    return "the package @opentelemetry/api is not installed here, so there is no OpenTelemetry to use"
  }

  /** How every surface shows it. */
  get info(): EdgeError {
    return {
      code: "opentelemetry_missing",
      message: this.message,
      hint: "Install it beside the OpenTelemetry SDK of the program: npm install @opentelemetry/api"
    }
  }
}
