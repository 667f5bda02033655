/** Where a plug-in is used. */
export interface PluginContext {
  /** The folder of the configuration; relative paths in properties start there. */
  readonly directory: string
  /** The folder for state of this deployment on this machine, `.signalbox`. */
  readonly stateDirectory: string
  /** The command line that runs this program again, for a process of its own; undefined in a host program. */
  readonly program?: ReadonlyArray<string>
}
