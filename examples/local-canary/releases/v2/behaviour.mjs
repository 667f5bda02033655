/** A new release, as good as the one before. */
export const answers = () => 200
