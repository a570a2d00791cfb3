//! A program on the ciphertexts of a chunk.
//!
//! A value that is multiplied is extended to the larger modulus and transformed once, however often it is used. A
//! node adds up all its products in transformed form; only the sum is brought back, scaled by t/Q and relinearised.

use crate::kernel::{Ciphertext, Kernel, Product, Sum};
use crate::program::{Linear, Node, Program, balanced};
use crate::values::{Pool, Prepared, Values};

/// How many products are added together. More would be faster and hold more operands at a time.
const TOGETHER: usize = 4;

/// The factors (public) of a check by its position, as a polynomial below the plaintext modulus.
pub(crate) type Factors<'a> = &'a dyn Fn(usize) -> Vec<u64>;

struct Run<'a> {
    kernel: &'a Kernel,
    factors: Factors<'a>,
    values: Values,
    pool: Pool,
    /// How many products were computed.
    products: u64,
}

impl Kernel {
    /// Runs a program on its inputs. Returns the result and how many products were computed.
    pub fn run(
        &self,
        program: &Program,
        inputs: Vec<Ciphertext>,
        factors: Factors<'_>,
    ) -> (Ciphertext, u64) {
        let mut run = Run {
            kernel: self,
            factors,
            values: Values::new(program, inputs),
            pool: self.pool(),
            products: 0,
        };
        let mut last = None;
        for (position, node) in program.nodes.iter().enumerate() {
            let value = run.node(node, None);
            run.values.keep(value);
            run.values.release(node, &mut run.pool);
            // Checks are added as soon as they can be, so that what only they read is freed.
            last = run.checks(program, Some(position), last);
        }
        last = run.checks(program, None, last);
        (run.node(&program.output, last), run.products)
    }

    /// Computes the cells of a program, each handed over as soon as it is there. Returns how many products were computed.
    pub fn run_cells(
        &self,
        program: &Program,
        inputs: Vec<Ciphertext>,
        mut each: impl FnMut(Ciphertext),
    ) -> u64 {
        let mut run = Run {
            kernel: self,
            factors: &|_| Vec::new(),
            values: Values::new(program, inputs),
            pool: self.pool(),
            products: 0,
        };
        for node in &program.nodes {
            let value = run.node(node, None);
            run.values.keep(value);
            run.values.release(node, &mut run.pool);
        }
        for cell in &program.cells {
            let value = run.node(cell, None);
            run.values.release(cell, &mut run.pool);
            each(value);
        }
        run.products
    }
}

impl Run<'_> {
    /// A node's value, added to what is there already.
    fn node(&mut self, node: &Node, sum: Option<Sum>) -> Ciphertext {
        let [mut c0, mut c1] = self.kernel.form(&node.linear, &self.values, &mut self.pool);
        let products: Vec<_> = node.products.iter().map(|product| (None, product)).collect();
        if let Some(sum) = self.add(sum, &products) {
            let products = self.kernel.closed(sum, &mut self.pool);
            for (to, from) in [&mut c0, &mut c1].into_iter().zip(products) {
                self.kernel.basis().add(to, &from);
                self.pool.take_own(from);
            }
        }
        [c0, c1]
    }

    /// Adds the checks that have read their last node, or those that read none.
    fn checks(&mut self, program: &Program, after: Option<usize>, sum: Option<Sum>) -> Option<Sum> {
        let all = program.checks.iter().enumerate();
        let ready: Vec<_> = all
            .filter(|(_, (left, right))| left.last_node().max(right.last_node()) == after)
            .map(|(position, check)| (Some(position), check))
            .collect();
        let sum = self.add(sum, &ready);
        for (_, check) in ready {
            self.values.release(&check.clone().into(), &mut self.pool);
        }
        sum
    }

    /// Adds products, of which some have the factors of a check.
    fn add(
        &mut self,
        sum: Option<Sum>,
        products: &[(Option<usize>, &(Linear, Linear))],
    ) -> Option<Sum> {
        if products.is_empty() {
            return sum;
        }
        let mut sum = sum.unwrap_or_else(|| [self.pool.wide(), self.pool.wide(), self.pool.wide()]);
        for products in products.chunks(TOGETHER) {
            let mut prepared = Vec::with_capacity(products.len());
            for (check, (left, right)) in products {
                let factor = check.map(|check| -> Vec<i64> {
                    (self.factors)(check).iter().map(|c| balanced(c.cast_signed())).collect()
                });
                let first = self.operand(left);
                // (x − a)·(x − b) needs x once.
                let same = left.is_light() && right.is_light() && left.terms == right.terms;
                let second = (!same).then(|| self.operand(right));
                let constants = [left, right].map(Linear::light_constant);
                prepared.push((factor, first, second, constants));
            }
            let operands: Vec<Product<'_>> = prepared
                .iter()
                .filter_map(|(factor, first, second, constants)| {
                    let second = second.as_ref().unwrap_or(first);
                    let operands = [self.values.operand(first)?, self.values.operand(second)?];
                    Some(Product { factor: factor.as_deref(), operands, constants: *constants })
                })
                .collect();
            self.kernel.add_products(&mut sum, &operands);
            self.products += u64::try_from(products.len()).unwrap_or_default();
            for (_, first, second, _) in prepared {
                for prepared in std::iter::once(first).chain(second) {
                    if let Prepared::Here(operand) = prepared {
                        self.pool.take_operand(*operand);
                    }
                }
            }
        }
        Some(sum)
    }

    /// Makes sure that an operand is there, without the constant of a light one.
    fn operand(&mut self, form: &Linear) -> Prepared {
        let Self { kernel, values, pool, .. } = self;
        if !form.is_light() {
            let ciphertext = kernel.form(form, values, pool);
            let operand = kernel.extended(&ciphertext, pool);
            ciphertext.into_iter().for_each(|part| pool.take_own(part));
            return Prepared::Here(Box::new(operand));
        }
        for (value, _) in &form.terms {
            if !values.operands.contains_key(value)
                && let Some(ciphertext) = values.get(*value)
            {
                let extended = kernel.extended(ciphertext, pool);
                values.operands.insert(*value, extended);
            }
        }
        if let [(value, 1)] = form.terms.as_slice() {
            return Prepared::Known(*value);
        }
        let mut sum = [pool.wide(), pool.wide()];
        for (value, coefficient) in &form.terms {
            if let Some(operand) = values.operands.get(value) {
                kernel.add_scaled(&mut sum, operand, *coefficient);
            }
        }
        Prepared::Here(Box::new(sum))
    }
}
