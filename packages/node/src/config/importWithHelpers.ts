import { registerHooks } from "node:module"

const source = `
export const defineConfig = (config) => config
export const output = (stack, name) => ({ $output: stack + "." + name })
export const secret = (variable) => ({ $secret: variable })
`
const helpers = `data:text/javascript,${encodeURIComponent(source)}`

/** An exported promise that is rejected must not end the program before that mistake is reported. */
const load = async (url: URL): Promise<unknown> => {
  const loaded: unknown = await import(url.href)
  if (typeof loaded === "object" && loaded !== null && "default" in loaded && loaded.default instanceof Promise) {
    loaded.default.catch(() => undefined)
  }
  return loaded
}

/**
 * Imports a configuration with a `@signalbox/core` that consists only of the three configuration helpers: the package
 * itself would load the engine (180 ms), and need not be installed where the command is. A file that needs more gets
 * the package.
 */
export const importWithHelpers = async (url: URL): Promise<unknown> => {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "@signalbox/core" && context.parentURL === url.href
        ? { url: helpers, shortCircuit: true }
        : next(specifier, context)
  })
  try {
    return await load(url)
  } catch (error) {
    if (!(error instanceof SyntaxError && error.message.includes("does not provide an export named"))) throw error
  } finally {
    hooks.deregister()
  }
  const again = new URL(url)
  again.searchParams.append("load", "package")
  return await load(again)
}
