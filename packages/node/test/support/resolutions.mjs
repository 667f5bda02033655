// Notes on stderr which packages of OpenTelemetry a process loads, and hides the one that is named.
import { registerHooks } from "node:module"

const hidden = process.env.HIDDEN_PACKAGE

registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith("@opentelemetry/")) console.error(`loads ${specifier}`)
    if (specifier !== hidden) return next(specifier, context)
    throw Object.assign(new Error(`Cannot find package '${specifier}'`), { code: "ERR_MODULE_NOT_FOUND" })
  }
})
