/** The healthy release. */
export const answers = () => 200
