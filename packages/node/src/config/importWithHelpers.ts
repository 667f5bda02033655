import { registerHooks } from "node:module"

const source = `
export const defineConfig = (config) => config
export const output = (stack, name) => ({ $output: stack + "." + name })
export const secret = (variable) => ({ $secret: variable })
`
const helpers = `data:text/javascript,${encodeURIComponent(source)}`

/** A promise that is exported by mistake, and rejected, must not end the program before that is said. */
const load = async (url: URL): Promise<unknown> => {
  const loaded: unknown = await import(url.href)
  if (typeof loaded === "object" && loaded !== null && "default" in loaded && loaded.default instanceof Promise) {
    loaded.default.catch(() => undefined)
  }
  return loaded
}

/**
 * Imports a configuration whose `@signalbox/core` is only the three helpers of configurations: the package itself would
 * bring the engine along (180 ms), and need not be installed where the command was. A file that wants more of it gets the
 * package.
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
