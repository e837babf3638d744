from django.urls import path

from friendships.views import BlockViewSet, FriendRequestViewSet, FriendViewSet

urlpatterns = [
    path("friends", FriendViewSet.as_view({"get": "list"})),
    path("friends/<uuid:user_id>", FriendViewSet.as_view({"delete": "destroy"})),
    path("friends/requests", FriendRequestViewSet.as_view({"get": "list", "post": "create"})),
    path("friends/requests/<uuid:id>", FriendRequestViewSet.as_view({"delete": "destroy"})),
    path("friends/requests/<uuid:id>/accept", FriendRequestViewSet.as_view({"post": "accept"})),
    path("friends/requests/<uuid:id>/reject", FriendRequestViewSet.as_view({"post": "reject"})),
    path("blocks", BlockViewSet.as_view({"get": "list"})),
    path("blocks/<uuid:user_id>", BlockViewSet.as_view({"put": "update", "delete": "destroy"})),
]
