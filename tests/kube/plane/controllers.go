package main

import (
	"context"
	"os"
	"time"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/certificates/rootcacertpublisher"
	"k8s.io/kubernetes/pkg/controller/clusterroleaggregation"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/job"
	"k8s.io/kubernetes/pkg/controller/namespace"
	"k8s.io/kubernetes/pkg/controller/serviceaccount"
	"k8s.io/kubernetes/pkg/controller/ttlafterfinished"
)

const (
	workers = 5

	// gcSync is how often the garbage collector looks for new kinds. The
	// stock manager waits 30 s, so deleting the owner of a kind installed a
	// moment ago would cascade that much later.
	gcSync = time.Second
)

// controllers runs the controllers of kube-controller-manager that change what
// an API client sees: owner references, namespaces, jobs, service accounts,
// the root CA ConfigMap and aggregated cluster roles.
func controllers(args []string) error {
	flags := pflag.NewFlagSet("controllers", pflag.ContinueOnError)
	kubeconfig := flags.String("kubeconfig", "", "kubeconfig of a cluster admin")
	rootCA := flags.String("root-ca-file", "", "certificate to publish as kube-root-ca.crt")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ca, err := os.ReadFile(*rootCA)
	if err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1 // no client-side limit
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	metadataClient, err := metadata.NewForConfig(config)
	if err != nil {
		return err
	}

	ctx := genericapiserver.SetupSignalContext()
	logger := klog.FromContext(ctx)
	typed := informers.NewSharedInformerFactory(client, 0)
	core, batch, rbac := typed.Core().V1(), typed.Batch().V1(), typed.Rbac().V1()

	jobs, err := job.NewController(ctx, client, core.Pods(), batch.Jobs(), nil, nil)
	if err != nil {
		return err
	}
	accounts, err := serviceaccount.NewServiceAccountsController(logger, core.ServiceAccounts(), core.Namespaces(),
		client, serviceaccount.DefaultServiceAccountsControllerOptions())
	if err != nil {
		return err
	}
	publisher, err := rootcacertpublisher.NewPublisher(core.ConfigMaps(), core.Namespaces(), client, ca)
	if err != nil {
		return err
	}
	expiry := ttlafterfinished.New(ctx, batch.Jobs(), client)
	aggregation := clusterroleaggregation.NewClusterRoleAggregation(rbac.ClusterRoles(), client.RbacV1())
	namespaces := namespace.NewNamespaceController(ctx, client, metadataClient,
		client.Discovery().ServerPreferredNamespacedResources, core.Namespaces(), 5*time.Minute, corev1.FinalizerKubernetes)

	ignored := map[schema.GroupResource]struct{}{}
	for resource := range garbagecollector.DefaultIgnoredResources() {
		ignored[resource] = struct{}{}
	}
	started := make(chan struct{})
	informers := informerfactory.NewInformerFactory(typed, metadatainformer.NewSharedInformerFactory(metadataClient, 0))
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery()))
	collector, err := garbagecollector.NewGarbageCollector(ctx, client, metadataClient, mapper, ignored, informers, started)
	if err != nil {
		return err
	}

	informers.Start(ctx.Done())
	close(started)
	go collector.Run(ctx, workers, 30*time.Second)
	go collector.Sync(ctx, client.Discovery(), gcSync)
	for _, run := range []func(context.Context, int){
		jobs.Run, accounts.Run, publisher.Run, expiry.Run, aggregation.Run, namespaces.Run,
	} {
		go run(ctx, workers)
	}
	<-ctx.Done()
	return nil
}
