export interface Slope {
  mean: number;
  /** Change per hour by least squares. */
  perHour: number;
  /** Its standard error. */
  spread: number;
}

/** The line through points of (hours, value). */
export function slopeOf(points: readonly (readonly [hours: number, value: number])[]): Slope {
  const count = points.length;
  const meanOf = (at: 0 | 1): number => points.reduce((sum, point) => sum + point[at], 0) / count;
  const [midTime, mean] = [meanOf(0), meanOf(1)];
  const squares = points.reduce((sum, [time]) => sum + (time - midTime) ** 2, 0);
  const perHour = points.reduce((sum, [time, value]) => sum + (time - midTime) * (value - mean), 0) / squares;
  const residue = points.reduce((sum, [time, value]) => sum + (value - mean - perHour * (time - midTime)) ** 2, 0);
  return { mean, perHour, spread: Math.sqrt(residue / Math.max(1, count - 2) / squares) };
}
