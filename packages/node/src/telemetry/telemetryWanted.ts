/** Whether the environment turns OpenTelemetry off. */
export const isDisabled = (env: Readonly<Record<string, string | undefined>>): boolean =>
  env["OTEL_SDK_DISABLED"]?.trim().toLowerCase() === "true"

/**
 * Whether telemetry is requested: an endpoint or the `otlp` exporter is named, and the SDK is not disabled.
 *
 * *Details*: cheap enough for every start of a program; the export module is loaded only then.
 *
 * *Source*: OpenTelemetry, "Environment Variable Specification" and "OTLP Exporter". Deviation: without any of these
 * variables, the specification would export to localhost; an unconfigured command sends nothing.
 */
export const telemetryWanted = (env: Readonly<Record<string, string | undefined>>): boolean => {
  if (isDisabled(env)) return false
  return (
    Boolean(env["OTEL_EXPORTER_OTLP_ENDPOINT"]) ||
    ["TRACES", "METRICS", "LOGS"].some(
      (signal) => env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`] || /\botlp\b/i.test(env[`OTEL_${signal}_EXPORTER`] ?? "")
    )
  )
}
