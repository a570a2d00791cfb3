//! The one function of the cluster's plans: a chunk's order in, the hash of its result out.

use blindtier_evaluator::Order;
use blindtier_wire::Digest;
use datafusion::arrow::array::{
    Array, ArrayRef, FixedSizeBinaryArray, RecordBatch, StringArray, UInt32Array,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::cast::{as_string_array, as_uint32_array};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

/// Bytes of a hash.
const HASH: i32 = 32;

/// Computes the chunk of an order.
pub(crate) type Compute = dyn Fn(Order) -> Result<Digest, String> + Send + Sync;

/// The columns of orders.
pub(crate) fn columns() -> SchemaRef {
    let column = |name, kind| Field::new(name, kind, false);
    Arc::new(Schema::new(vec![
        column("inputs", DataType::Utf8),
        column("chunk", DataType::UInt32),
        column("result", DataType::Utf8),
    ]))
}

/// Orders as rows. A path that is no text cannot be ordered from another machine.
pub(crate) fn rows(orders: &[Order]) -> Result<RecordBatch> {
    let text = |order: &Order| order.result.to_str().map(str::to_owned);
    let results: Option<Vec<String>> = orders.iter().map(text).collect();
    let results = results.ok_or_else(|| {
        DataFusionError::Configuration("the board's path is not valid Unicode".to_owned())
    })?;
    let inputs: Vec<String> = orders.iter().map(|order| order.inputs.to_string()).collect();
    let chunks: Vec<u32> = orders.iter().map(|order| order.chunk).collect();
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(inputs)),
        Arc::new(UInt32Array::from(chunks)),
        Arc::new(StringArray::from(results)),
    ];
    Ok(RecordBatch::try_new(columns(), arrays)?)
}

/// The function by its name, for whoever only plans.
pub(crate) fn named() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(Chunk::new(None)))
}

/// The function, for an executor.
pub(crate) fn computing(compute: Arc<Compute>) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(Chunk::new(Some(compute))))
}

struct Chunk {
    signature: Signature,
    compute: Option<Arc<Compute>>,
}

impl Chunk {
    fn new(compute: Option<Arc<Compute>>) -> Self {
        let kinds = columns().fields().iter().map(|column| column.data_type().clone()).collect();
        // Volatile: no planner may compute it ahead, or twice for one row.
        Self { signature: Signature::exact(kinds, Volatility::Volatile), compute }
    }
}

impl ScalarUDFImpl for Chunk {
    fn name(&self) -> &str {
        "blindtier_chunk"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::FixedSizeBinary(HASH))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(compute) = &self.compute else {
            let reason = "chunks are computed by executors only".to_owned();
            return Err(DataFusionError::Execution(reason));
        };
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [inputs, chunks, results] = arrays.as_slice() else {
            let reason = "an order has three columns".to_owned();
            return Err(DataFusionError::Execution(reason));
        };
        let (inputs, results) = (as_string_array(inputs)?, as_string_array(results)?);
        let chunks = as_uint32_array(chunks)?;
        let rows = inputs.iter().zip(chunks.iter()).zip(results.iter());
        let hashes = rows
            .map(|((inputs, chunk), result)| {
                let order = order(inputs, chunk, result)
                    .ok_or_else(|| "the order is malformed".to_owned())
                    .and_then(|order| compute(order));
                order.map(|digest| digest.0).map_err(DataFusionError::Execution)
            })
            .collect::<Result<Vec<[u8; 32]>>>()?;
        let hashes = FixedSizeBinaryArray::try_from_sparse_iter_with_size(
            hashes.iter().map(|hash| Some(hash.as_slice())),
            HASH,
        )?;
        debug_assert_eq!(hashes.len(), args.number_rows);
        Ok(ColumnarValue::Array(Arc::new(hashes)))
    }
}

fn order(inputs: Option<&str>, chunk: Option<u32>, result: Option<&str>) -> Option<Order> {
    let inputs = Digest::from_hex(inputs?)?;
    Some(Order { inputs, chunk: chunk?, result: PathBuf::from(result?) })
}

// The engine compares functions; there is only this one.
impl PartialEq for Chunk {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Chunk {}

impl Hash for Chunk {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use datafusion::config::ConfigOptions;

    fn call(function: &ScalarUDF, orders: &[Order]) -> Result<ColumnarValue> {
        let batch = rows(orders).unwrap();
        let returned = Arc::new(Field::new("hash", DataType::FixedSizeBinary(HASH), false));
        function.invoke_with_args(ScalarFunctionArgs {
            args: batch.columns().iter().cloned().map(ColumnarValue::Array).collect(),
            arg_fields: batch.schema().fields().iter().cloned().collect(),
            number_rows: batch.num_rows(),
            return_field: returned,
            config_options: Arc::new(ConfigOptions::default()),
        })
    }

    fn orders() -> Vec<Order> {
        let order = |chunk| {
            let result = PathBuf::from(format!("s3://boards/round/results/{chunk:05}.bt"));
            Order { inputs: Digest([7; 32]), chunk, result }
        };
        [3, 1, 4].map(order).to_vec()
    }

    #[test]
    fn orders_arrive_as_they_were_sent() {
        let expected = orders();
        let seen = expected.clone();
        let function = computing(Arc::new(move |order: Order| {
            assert!(seen.contains(&order), "{order:?}");
            Ok(Digest([u8::try_from(order.chunk).unwrap(); 32]))
        }));
        let ColumnarValue::Array(hashes) = call(&function, &expected).unwrap() else {
            unreachable!("rows give rows")
        };
        let hashes = hashes.as_any().downcast_ref::<FixedSizeBinaryArray>().unwrap();
        let first: Vec<u8> = hashes.iter().map(|hash| hash.unwrap()[0]).collect();
        assert_eq!(first, [3, 1, 4]);
    }

    #[test]
    fn what_fails_fails_the_task_and_planners_compute_nothing() {
        let failing = computing(Arc::new(|_| Err("the ledger has other submissions".to_owned())));
        let error = call(&failing, &orders()).unwrap_err().to_string();
        assert!(error.contains("other submissions"), "{error}");
        let error = call(&named(), &orders()).unwrap_err().to_string();
        assert!(error.contains("executors only"), "{error}");
    }
}
