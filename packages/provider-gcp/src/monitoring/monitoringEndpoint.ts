/** `metrics` is whether requests are measured (default true), at `monitoringEndpoint`; `endpoint` is Cloud Run's. */
export interface MetricsOptions {
  readonly endpoint?: string
  readonly metrics?: boolean
  readonly monitoringEndpoint?: string
}

const nonEmpty = (value: string | undefined): string | undefined => (value === "" ? undefined : value)

/** Where the metrics are read, if not at the usual address. */
export const monitoringEndpoint = (options: MetricsOptions): string | undefined =>
  options.monitoringEndpoint ?? nonEmpty(process.env["CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING"])

/** Whether there are metrics: a simulated Cloud Run has some only if it says where. */
export const measures = (options: MetricsOptions): boolean => {
  if (options.metrics === false) return false
  const run = options.endpoint ?? nonEmpty(process.env["CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN"])
  return run?.startsWith("http:") !== true || monitoringEndpoint(options) !== undefined
}
