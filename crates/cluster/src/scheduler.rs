//! The process that executors and runs connect to.

use crate::{ClusterError, function, runtime};
use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::utils::default_session_builder;
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::{SchedulerConfig, TaskDistributionPolicy};
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use datafusion::execution::FunctionRegistry;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// A scheduler's settings.
pub struct Scheduler {
    /// Where executors and runs find it. Whoever reaches it can give executors work: it belongs in a network of the
    /// evaluator's own.
    pub listen: SocketAddr,
    /// How long an executor may be silent before its chunk is given to another; they speak every five seconds.
    pub silence: Duration,
}

/// Hands out work until the process is ended. `ready` gets the address that it listens on.
///
/// It remembers nothing beyond its process: a run that it was working for submits what is missing again.
pub fn schedule(settings: &Scheduler, ready: &dyn Fn(SocketAddr)) -> Result<(), ClusterError> {
    runtime()?.block_on(async {
        let address = settings.listen;
        let unheard = |source| ClusterError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(unheard)?;
        let bound = listener.local_addr().map_err(unheard)?;
        let silence = settings.silence.as_secs().max(1);
        let config = SchedulerConfig {
            bind_host: bound.ip().to_string(),
            bind_port: bound.port(),
            // Executors ask for work, so that nobody has to reach them.
            scheduling_policy: TaskSchedulingPolicy::PullStaged,
            task_distribution: TaskDistributionPolicy::RoundRobin,
            executor_timeout_seconds: silence,
            expire_dead_executor_interval_seconds: (silence / 4).max(1),
            no_executors_grace_period_seconds: silence.max(60),
            override_session_builder: Some(Arc::new(|config| {
                let mut state = default_session_builder(config)?;
                state.register_udf(function::named())?;
                Ok(state)
            })),
            ..SchedulerConfig::default()
        };
        let cluster = BallistaCluster::new_from_config(&config).await?;
        let scheduler =
            create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, Arc::new(config))
                .await?;
        ready(bound);
        Ok(start_grpc_service_with_listener(listener, scheduler).await?)
    })
}
