// What printed programs call besides Math: NumPy's functions where JavaScript has none, or another one.
// Those over a line of numbers take them from x[start], x[start + step], and so on.

// One number each
function sigmoid(x) {
  const e = Math.exp(-Math.abs(x));
  return (x >= 0 ? 1 : e) / (1 + e);
}

function softplus(x) {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

function logaddexp(x, y) {
  return x === y ? x + Math.LN2 : Math.max(x, y) + Math.log1p(Math.exp(-Math.abs(x - y)));
}

function erf(x) { // by its power series, and far from 0 by the continued fraction of 1 - erf x
  const square = x * x;
  if (square < 9) {
    let term = x, total = x;
    for (let n = 1; n < 100; n++) total += (term *= (2 * square) / (2 * n + 1));
    return ((2 * total) / Math.sqrt(Math.PI)) * Math.exp(-square);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (Math.abs(x) + fraction);
  const rest = Math.exp(-square) / Math.sqrt(Math.PI) / (Math.abs(x) + fraction);
  return Number.isNaN(x) ? x : Math.sign(x) * (1 - rest);
}

function power(x, y) { // 1 to any power is 1, and -1 to an infinite one
  return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : Math.pow(x, y);
}

function remainder(x, y) { // with the sign of y
  const rest = x % y;
  return rest !== 0 && rest < 0 !== y < 0 ? rest + y : rest === 0 ? (y < 0 || Object.is(y, -0) ? -0 : 0) : rest;
}

function floor_divide(x, y) {
  if (y === 0) return x / y;
  const rest = x % y;
  const quotient = (x - rest) / y - (rest !== 0 && rest < 0 !== y < 0 ? 1 : 0);
  const floor = Math.floor(quotient);
  return quotient === 0 ? (Object.is(x / y, -0) || x / y < 0 ? -0 : 0) : floor + (quotient - floor > 0.5 ? 1 : 0);
}

function rint(x) { // halves go to the even neighbour
  const down = Math.floor(x);
  const rest = x - down;
  const near = rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1;
  return Number.isFinite(x) ? (near === 0 && (x < 0 || Object.is(x, -0)) ? -0 : near) : x;
}

function wrapped(index, length) { // an index below 0 counts from the end
  return index < 0 ? index + length : index;
}

// A line of numbers
function sum(x, start, length, step) {
  let total = 0;
  for (let i = 0; i < length; i++) total += x[start + i * step];
  return total;
}

function mean(x, start, length, step) {
  return sum(x, start, length, step) / length;
}

function prod(x, start, length, step) {
  let product = 1;
  for (let i = 0; i < length; i++) product *= x[start + i * step];
  return product;
}

function max(x, start, length, step) {
  let top = -Infinity;
  for (let i = 0; i < length; i++) top = Math.max(top, x[start + i * step]);
  return top;
}

function min(x, start, length, step) {
  let least = Infinity;
  for (let i = 0; i < length; i++) least = Math.min(least, x[start + i * step]);
  return least;
}

function argmax(x, start, length, step) { // the first nan counts as the largest
  let place = 0;
  for (let i = 0; i < length; i++) {
    const entry = x[start + i * step];
    if (Number.isNaN(entry)) return i;
    if (entry > x[start + place * step]) place = i;
  }
  return place;
}

function argmin(x, start, length, step) {
  let place = 0;
  for (let i = 0; i < length; i++) {
    const entry = x[start + i * step];
    if (Number.isNaN(entry)) return i;
    if (entry < x[start + place * step]) place = i;
  }
  return place;
}

function variance(x, start, length, step, ddof) {
  const middle = mean(x, start, length, step);
  let total = 0;
  for (let i = 0; i < length; i++) total += (x[start + i * step] - middle) ** 2;
  return total / (length - ddof);
}

function any(x, start, length, step) {
  for (let i = 0; i < length; i++) if (x[start + i * step] !== 0) return 1;
  return 0;
}

function all(x, start, length, step) {
  for (let i = 0; i < length; i++) if (x[start + i * step] === 0) return 0;
  return 1;
}

function count_nonzero(x, start, length, step) {
  let count = 0;
  for (let i = 0; i < length; i++) if (x[start + i * step] !== 0) count++;
  return count;
}

function norm(x, start, length, step, order) {
  if (order === Infinity || order === -Infinity) {
    let end = order > 0 ? 0 : Infinity;
    for (let i = 0; i < length; i++) {
      const size = Math.abs(x[start + i * step]);
      end = order > 0 ? Math.max(end, size) : Math.min(end, size);
    }
    return end;
  }
  let total = 0;
  for (let i = 0; i < length; i++) {
    const size = Math.abs(x[start + i * step]);
    total += order === 2 ? size * size : order === 0 ? Number(size !== 0) : power(size, order);
  }
  return order === 2 ? Math.sqrt(total) : order === 0 ? total : power(total, 1 / order);
}
