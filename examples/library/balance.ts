// Two tasks whose gradients disagree: what each balancer makes of them, without a model or a stream.
import { BALANCERS, balancerFrom, gramOf } from 'millrace'

const gradients = Float64Array.from([1, 0.2, 0, -0.6, 1, 0.5]) // two tasks, three shared parameters
const step = {
  losses: Float64Array.from([0.4, 0.1]),
  gram: gramOf(gradients, 2, 3),
  active: Uint8Array.from([1, 1]),
  step: 0,
}

console.log('balancer, coefficient of task 0, of task 1')
for (const { kind } of BALANCERS) {
  const balancer = balancerFrom({ kind })
  if (balancer.needs === 'gradients') continue // DB-MTL keeps whole gradients
  const { coefficients } = balancer.coefficients(step, balancer.init(2))
  console.log(kind, ...Array.from(coefficients, (c) => c.toFixed(3)))
}
